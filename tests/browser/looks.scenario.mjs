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

// What is not in the window, or would be cut: a panel, a view, a menu.
const beyond = (t, selector) =>
  t.page.locator(selector).evaluateAll((all) =>
    all
      .map((element) => [element.getAttribute('aria-label') ?? element.className, element.getBoundingClientRect()])
      .filter(([, { width, left, right }]) => width > 0 && (left < -0.5 || right > innerWidth + 0.5))
      .map(([name, { left, right }]) => `${name}: ${left} to ${right} of ${innerWidth}`));

scenario('where lines begin at the right the page is mirrored, and its plots are not', async (t) => {
  const { page } = t;
  const mirror = () => page.evaluate(() => { document.documentElement.dir = 'rtl'; });
  const boxOf = async (locator) => {
    const { x, y, width, height } = await locator.boundingBox();
    return { left: x, right: x + width, top: y, bottom: y + height };
  };
  const link = 'link=1&table=penguins&filter=species:in:Adelie:Gentoo&view=1:scatter:flipper_length_mm:body_mass_g:species&view=2:histogram:beak_length_mm:40&view=3:bars:island:12&view=4:heat:beak_length_mm:body_mass_g:12&view=5:bars:sex:12&numbers=5';
  await t.openLink(link);
  await t.untilShown();
  await mirror();
  const range = await t.filter('beak_length_mm');
  await t.filter('sex');
  await t.untilStill();
  await t.shot('mirrored-wide');

  // The panel is at the right of the views, and the counts beside it.
  const [side, main] = [await boxOf(page.locator('.side')), await boxOf(page.locator('.main'))];
  assert.ok(side.left >= main.right - 1, `the side panel is at ${side.left}, the views end at ${main.right}`);
  assert.ok((await boxOf(page.locator('.counts-box'))).left > (await boxOf(page.getByRole('button', { name: 'Add a view' }))).right);
  // Names come first and bars grow from them, in views and filters alike.
  for (const bars of [page.getByRole('listbox', { name: /^Values of island/ }), page.locator('[id="filter-sex"] .bars')]) {
    const row = bars.getByRole('option').first();
    const [label, count] = [await boxOf(row.locator('.bar-label')), await boxOf(row.locator('.bar-count'))];
    assert.ok(label.left >= count.right, 'a name is at the right of its count');
    const [whole, bar] = [await boxOf(row), await boxOf(row.locator('.bar-front'))];
    assert.ok(Math.abs(bar.right - whole.right) < 1, `a bar ends at ${bar.right}, its row at ${whole.right}`);
  }
  // What is measured runs from left to right still, with the ends of a range under its axis.
  for (const plot of ['.plot', 'canvas', '.axis-x', '.histogram > svg', '.grid-chart > svg', '.sparkline', '[role=grid]']) {
    const directions = await page.locator(plot).evaluateAll((all) => all.map((one) => getComputedStyle(one).direction));
    assert.ok(directions.length > 0 && directions.every((one) => one === 'ltr'), `${plot}: ${directions}`);
  }
  const [from, to] = [await boxOf(range.getByRole('textbox', { name: /from$/ })), await boxOf(range.getByRole('textbox', { name: /to$/ }))];
  assert.ok(from.right <= to.left, 'the lower end is at the left');
  const cut = await page.locator('.histogram text').evaluateAll((all) =>
    all
      .map((text) => [text.textContent, text.getBoundingClientRect(), text.closest('.histogram').getBoundingClientRect()])
      .filter(([, own, { left, right }]) => own.left < left - 1 || own.right > right + 1)
      .map(([text]) => text));
  assert.deepEqual(cut, [], 'words of histograms are cut');
  // Numbers stay as they are written: so many of so many, and their share.
  const places = await page.locator('.counts > *').evaluateAll((all) => all.map((one) => one.getBoundingClientRect().left));
  assert.equal(places.length, 3);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  // Digits of a column of numbers stand above each other.
  const digits = await page.locator('.twin td:nth-child(2)').evaluateAll((all) => all.map((one) => getComputedStyle(one).textAlign));
  assert.ok(digits.length > 0 && digits.every((one) => one === 'right'), `${digits}`);

  const inWindow = async (place) => {
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(over <= 0, `${place} is ${over} pixels wider than the window`);
    assert.deepEqual(await beyond(t, 'header, .toolbar > *, .side, .view, .view-head > *, .rows-head > *, .popover, dialog'), [], place);
  };
  await inWindow('the page');
  const menus = page.locator('main button[popovertarget]:visible, header button[popovertarget]:visible');
  for (const menu of await menus.all()) {
    await menu.click();
    const name = await menu.getAttribute('aria-label');
    const panel = page.locator('.popover:popover-open');
    await t.until(`${name} has its place`, async () => (await panel.boundingBox())?.height > 40);
    await inWindow(name);
    await page.keyboard.press('Escape');
  }
  for (const [key, name] of [['?', 'Keys and gestures'], ['o', 'Kept in this browser'], ['Control+k', 'Find a command']]) {
    await page.locator('#main').focus();
    await page.keyboard.press(key);
    const dialog = page.getByRole('dialog', { name });
    await dialog.waitFor();
    await inWindow(name);
    if (key !== 'o') {
      // Keys are named in the order in which they are pressed.
      const [first, second] = await dialog.locator(':not(.palette-search) > kbd:text-is("Ctrl") ~ kbd, kbd:text-is("Ctrl")').all();
      assert.ok((await boxOf(first)).left < (await boxOf(second)).left, `${name}: Ctrl is at the left`);
    }
    await t.shot(`mirrored-${name.toLowerCase().replaceAll(' ', '-')}`);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'hidden' });
  }

  await t.resize('narrow');
  for (const part of ['Views', 'Filters', 'Columns', 'Rows']) {
    await page.getByRole('navigation', { name: 'Parts of the page' }).getByRole('button', { name: part }).click();
    await t.untilStill();
    await t.shot(`mirrored-narrow-${part.toLowerCase()}`);
    await inWindow(`${part} on a narrow screen`);
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
