// What axe finds wrong with the page for those who read it by other means: nothing, in any
// of its states, light and dark, wide and narrow.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { scenario } from './harness.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

async function check(t, where, without = []) {
  const found = await t.page.evaluate(async ([tags, without]) => {
    const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
    const { violations } = await window.axe.run(document, { runOnly: tags, rules });
    return violations.map(({ id, help, nodes }) => ({
      id, help, at: nodes.slice(0, 4).map(({ html, failureSummary }) => `${html.slice(0, 160)} — ${failureSummary.split('\n').at(1)}`),
    }));
  }, [TAGS, without]);
  assert.deepEqual(found, [], `${where}: ${JSON.stringify(found, null, 1)}`);
}

scenario('axe finds nothing wrong', async (t) => {
  const { keyboard } = t.page;
  await t.open();
  await t.page.getByRole('option', { name: /weather/ }).waitFor();
  await t.page.evaluate(AXE);
  await check(t, 'the list of tables');
  await t.openLink('link=1&table=penguins&filter=species:in:Adelie:Gentoo&view=1:scatter:flipper_length_mm:body_mass_g:species&view=2:histogram:beak_length_mm:40&view=3:bars:island:12');
  await t.untilShown();
  await t.page.evaluate(AXE);
  await t.filter('beak_length_mm');
  await t.filter('sex');
  for (const theme of ['light', 'dark']) {
    await t.setTheme(theme);
    await t.untilStill();
    await check(t, `the explorer, ${theme}`);
  }
  await t.openLink('link=1&table=flights&columns=date,delay,distance,state&view=1:heat:distance:delay:20&view=2:line:date:count::state:week&view=3:box:delay:state&view=4:violin:delay&numbers=4&view=5:histogram:delay:20:log');
  await t.untilShown();
  await t.page.evaluate(AXE);
  for (const theme of ['light', 'dark']) {
    await t.setTheme(theme);
    await t.untilStill();
    await check(t, `the charts, ${theme}`);
  }
  await t.openLink('link=1&table=penguins&filter=species:in:Adelie:Gentoo&view=2:histogram:beak_length_mm:40');
  await t.untilShown();
  await t.page.evaluate(AXE);
  await t.page.getByRole('tab', { name: 'Columns' }).click();
  await check(t, 'the columns');
  await t.page.getByRole('button', { name: 'Add a view' }).click();
  await t.page.getByRole('dialog', { name: 'Add a view' }).waitFor();
  await check(t, 'the choice of views');
  await keyboard.press('Escape');
  for (const [key, name] of [['?', 'Keys and gestures'], ['o', 'Kept in this browser'], ['Control+k', 'Find a command']]) {
    await t.page.locator('#main').focus();
    await keyboard.press(key);
    await t.page.getByRole('dialog', { name }).waitFor();
    await check(t, name);
    await keyboard.press('Escape');
    await t.page.getByRole('dialog', { name }).waitFor({ state: 'hidden' });
  }
  await t.resize('narrow');
  for (const part of ['Views', 'Filters', 'Columns', 'Rows']) {
    await t.page.getByRole('navigation', { name: 'Parts of the page' }).getByRole('button', { name: part }).click();
    await t.untilStill();
    // The one part that is shown is a landmark, if not always the main one.
    await check(t, `${part} on a narrow screen`, ['landmark-one-main']);
  }
}, { renderers: ['raster'] });
