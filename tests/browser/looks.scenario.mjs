// How the page looks, in three sizes, light and dark; and that hands on a keyboard and
// assistive technology find everything.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

scenario('the page in three sizes, light and dark', async (t) => {
  await t.open();
  await t.page.getByRole('option', { name: /weather/ }).waitFor();
  await t.shotsOfAll('tables');
  await t.golden('tables-light');
  await t.openLink('link=1&table=penguins&filter=species:in:Adelie:Gentoo&view=1:scatter:flipper_length_mm:body_mass_g:species&view=2:histogram:beak_length_mm:40&view=3:bars:island:12&view=4:histogram:body_mass_g:40');
  await t.untilShown();
  await t.filter('beak_length_mm');
  await t.filter('sex');
  await t.shotsOfAll('explorer');
  await t.golden('explorer-light', t.page, 0.02);
  await t.setTheme('dark');
  await t.until('it is dark', () => t.page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches));
  await t.golden('explorer-dark', t.page, 0.02);
  await t.setTheme('light');
  // Nothing hangs over the edge of a narrow screen.
  await t.resize('narrow');
  for (const part of ['Views', 'Filters', 'Columns', 'Rows']) {
    await t.page.getByRole('navigation', { name: 'Parts of the page' }).getByRole('button', { name: part }).click();
    const over = await t.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${part} is ${over} pixels wider than the screen`);
    await t.shot(`narrow-${part.toLowerCase()}`);
    if (part === 'Views') await t.golden('explorer-narrow', t.page, 0.02);
  }
}, raster);

scenario('everything is done by the keyboard alone', async (t) => {
  const { keyboard } = t.page;
  await t.open();
  await t.page.getByRole('option', { name: /penguins/ }).waitFor();
  const search = t.page.getByRole('combobox', { name: 'Search tables' });
  await t.until('the search has the focus', () => search.evaluate((input) => document.activeElement === input));
  await keyboard.type('peng');
  await keyboard.press('Enter');
  await t.untilShown();
  const total = await t.countOf('penguins');
  await t.untilSelected(total);
  // Tab reaches each kind of control in turn.
  const reached = new Set();
  for (let step = 0; step < 120; step += 1) {
    await keyboard.press('Tab');
    reached.add(await t.page.evaluate(() => document.activeElement?.getAttribute('role') ?? document.activeElement?.tagName));
  }
  for (const kind of ['BUTTON', 'SELECT', 'INPUT', 'application', 'slider', 'option']) {
    assert.ok(reached.has(kind), `Tab never reaches a ${kind}: ${[...reached]}`);
  }
  const bars = t.page.getByRole('listbox', { name: /^Values of species/ });
  await bars.getByRole('option').first().focus();
  await keyboard.press('ArrowDown');
  await keyboard.press('Space');
  const second = (await bars.getByRole('option').nth(1).locator('.bar-label').innerText()).trim();
  await t.untilSelected(await t.countOf('penguins', [{ column: 'species', op: 'eq', value: second }]));
  await keyboard.press('Escape');
  await t.untilSelected(total);
  await keyboard.press('?');
  await t.page.getByRole('dialog', { name: 'Keys and gestures' }).waitFor();
  await t.shot('help');
  await keyboard.press('Escape');
  await t.page.getByRole('dialog').waitFor({ state: 'hidden' });
}, raster);

// Everything that can be operated, or is a place of its own, and that assistive technology
// would have no name for: as the browser itself computes names.
async function nameless(t) {
  const session = await t.context.newCDPSession(t.page);
  try {
    await session.send('DOM.enable');
    await session.send('Accessibility.enable');
    const { nodes } = await session.send('Accessibility.getFullAXTree');
    const found = [];
    for (const node of nodes.filter((node) => !node.ignored)) {
      const role = node.role.value;
      const isFocusable = node.properties?.some(({ name, value }) => name === 'focusable' && value.value);
      if (NEEDS_NONE.has(role) || !(isFocusable || NAMED.has(role)) || node.name?.value.trim()) continue;
      const { outerHTML } = await session.send('DOM.getOuterHTML', { backendNodeId: node.backendDOMNodeId });
      found.push(`${role}: ${outerHTML.slice(0, 160)}`);
    }
    assert.ok(nodes.length > 50, `only ${nodes.length} nodes`);
    return found;
  } finally {
    await session.detach();
  }
}

// There is one of each on a page, and it is found by its role.
const NEEDS_NONE = new Set(['RootWebArea', 'main']);
const NAMED = new Set([
  'application', 'button', 'checkbox', 'combobox', 'dialog', 'grid', 'group', 'image', 'link', 'listbox', 'option',
  'progressbar', 'radio', 'searchbox', 'separator', 'slider', 'spinbutton', 'switch', 'tab', 'textbox',
]);

scenario('every control has a name', async (t) => {
  const { page } = t;
  const button = (name) => page.getByRole('button', { name, exact: typeof name === 'string' });
  // A chart has its name with its numbers.
  const check = (place) =>
    t.until(`names for all of ${place}`, async () => {
      assert.deepEqual(await nameless(t), []);
      return true;
    }, 5_000);
  // Opens a panel or a dialog, looks at it, and closes it.
  const opened = async (place, opener, name) => {
    await opener.click();
    const dialog = page.getByRole('dialog', { name });
    await dialog.waitFor();
    await dialog.locator('button, input, [role=option]').first().waitFor();
    await check(place);
    await t.shot(`named-${place.replaceAll(' ', '-')}`);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  };

  await t.open();
  await page.getByRole('option', { name: /movies/ }).waitFor();
  await check('the list of tables');
  await t.openLink(
    'link=1&table=movies&filter=genre:in:Drama&view=1:scatter:imdb:us_gross:genre&view=2:histogram:imdb:40&view=3:bars:genre:12',
  );
  await t.untilShown();
  await check('views and rows');
  for (const column of ['title', 'imdb', 'rating', 'release_date']) await t.filter(column);
  await check('filters');
  await (await t.filter('title')).getByRole('button', { name: 'Text', exact: true }).click();
  await check('the filter of a text');
  await page.getByRole('tab', { name: 'Columns' }).click();
  await page.getByRole('searchbox', { name: 'Search columns' }).waitFor();
  await check('the columns');

  await opened('choosing a table', button(/^Table movies/), /^Table movies/);
  await opened('adding a view', button('Add a view'), 'Add a view');
  await opened('columns of the rows', button('Columns of the rows'), 'Columns of the rows');
  for (const view of await page.getByRole('article').all()) {
    const name = await view.getAttribute('aria-label');
    await opened(`the menu of ${name}`, view.locator('button[popovertarget]').first(), /./);
  }
  await opened('help', button('Keys and gestures'), 'Keys and gestures');
  const kept = page.getByRole('dialog', { name: 'Kept in this browser' });
  await button('What is kept offline').click();
  await kept.getByRole('row', { name: /movies/ }).waitFor();
  await check('what is kept');
  await page.keyboard.press('Escape');

  await t.open({ table: 'weather' });
  await t.untilShown();
  await opened('choosing a version', button(/Choose another version/), /Choose another version/);
  await t.resize('narrow');
  for (const part of ['Views', 'Filters', 'Columns', 'Rows']) {
    await page.getByRole('navigation', { name: 'Parts of the page' }).getByRole('button', { name: part }).click();
    await check(`${part} on a narrow screen`);
  }
  // Where something went wrong there are ways on.
  t.allow(/404/);
  await t.openLink('link=1&table=wether');
  await page.getByRole('heading', { name: 'wether cannot be opened' }).waitFor();
  await check('a table that is not there');
}, raster);
