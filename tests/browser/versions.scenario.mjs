// Versions of a table, links to them, back and forward.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

async function chooseVersion(t, number) {
  await t.page.getByRole('button', { name: /Choose another version/ }).click();
  await t.page.locator('.version-option').filter({ has: t.page.getByText(String(number), { exact: true }) }).click();
  await t.page.getByRole('button', { name: new RegExp(`^version ${number}\\.`) }).waitFor();
}

const totalIs = async (t, expected, page = t.page) =>
  t.until(`${expected} rows in all`, async () => (await t.counts(page)).total === expected);

scenario('an older version shows the rows it had, and so does its link', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  const newest = await t.countOf('weather');
  await totalIs(t, newest);
  const first = await t.countOf('weather', [], 0);
  assert.notEqual(first, newest, 'the sample table changes from version to version');
  await chooseVersion(t, 0);
  await totalIs(t, first);
  assert.match(t.page.url(), /version=0/);
  // A newer one is offered, not forced.
  const newer = t.page.getByRole('button', { name: /^Newer: version/ });
  await newer.waitFor();

  const sunny = [{ column: 'weather', op: 'eq', value: 'sun' }];
  await t.page.getByRole('option', { name: /^sun/ }).first().click();
  await t.untilSelected(await t.countOf('weather', sunny, 0));
  const again = await t.newPage();
  await again.goto(t.page.url());
  await t.untilSelected(await t.countOf('weather', sunny, 0), again);
  await totalIs(t, first, again);
  await again.close();
  await t.page.bringToFront();

  await newer.click();
  await totalIs(t, newest);
  await t.untilSelected(await t.countOf('weather', sunny));
}, raster);

scenario('back and forward go through tables, versions and filters', async (t) => {
  await t.open();
  await t.page.getByRole('option', { name: /weather/ }).click();
  await t.untilShown();
  const newest = await t.countOf('weather');
  await totalIs(t, newest);
  const rain = await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]);
  await t.page.getByRole('option', { name: /^rain/ }).first().click();
  await t.untilSelected(rain);
  await chooseVersion(t, 1);
  const older = await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }], 1);
  await t.untilSelected(older);

  await t.page.goBack();
  await t.untilSelected(rain);
  await t.page.goBack();
  await t.untilSelected(newest);
  await t.page.goForward();
  await t.untilSelected(rain);
  await t.page.goBack();
  await t.page.goBack();
  await t.page.getByRole('heading', { name: 'Explore a table' }).waitFor();
  await t.page.goForward();
  await t.untilSelected(newest);
}, raster);

scenario('what a link asks for and is not there is named', async (t) => {
  await t.openLink('link=1&table=weather&version=99');
  await t.page.getByRole('heading', { name: 'weather cannot be opened' }).waitFor();
  assert.match(await t.page.locator('.state.error').innerText(), /99/);
  await t.page.getByRole('button', { name: 'Open the newest version' }).click();
  await totalIs(t, await t.countOf('weather'));

  await t.openLink('link=1&table=wether');
  await t.page.getByRole('heading', { name: 'wether cannot be opened' }).waitFor();
  assert.match(await t.page.locator('.state.error').innerText(), /weather/);
  await t.shot('unknown-table');

  // Columns and filters that the table lacks are left out and told of.
  await t.openLink('link=1&table=weather&filter=wether:in:sun&view=1:histogram:temp_maxx:40&view=2:histogram:wind:40');
  await totalIs(t, await t.countOf('weather'));
  await t.page.getByText(/wether/).first().waitFor();
  await t.untilSelected(await t.countOf('weather'));
  t.allow(/404|400/);
}, raster);
