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

scenario('every control has a name', async (t) => {
  await t.open({ table: 'movies' });
  await t.untilShown();
  await t.filter('title');
  await t.filter('imdb');
  await t.filter('rating');
  const nameless = await t.page.evaluate(() => {
    const named = (element) =>
      element.getAttribute('aria-label') ||
      element.getAttribute('aria-labelledby') ||
      element.textContent.trim() ||
      element.getAttribute('title') ||
      element.labels?.length;
    const controls = document.querySelectorAll('button, a[href], input, select, textarea, [tabindex="0"], [role=slider], [role=option]');
    const visible = [...controls].filter((element) => element.getClientRects().length && element.getAttribute('aria-hidden') !== 'true');
    return visible.filter((element) => !named(element)).map((element) => element.outerHTML.slice(0, 160));
  });
  assert.deepEqual(nameless, []);
}, raster);
