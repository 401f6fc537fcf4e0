// Versions of a table, links to them, back and forward.

import assert from 'node:assert/strict';
import { copyFileSync, cpSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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

const RAIN = [{ column: 'weather', op: 'eq', value: 'rain' }];

// A lake with a weather table that may grow; it is gone after the scenario.
async function withGrowingLake(t, run) {
  const lake = mkdtempSync(join(tmpdir(), 'limn-lake-'));
  const table = join(lake, 'weather');
  cpSync(join(t.stage.lake, 'weather'), table, { recursive: true });
  // Commits rows of Seattle's last year once more, as a writer would.
  const append = (version) => {
    const of = (number) => join(table, `_delta_log/${String(number).padStart(20, '0')}.json`);
    const seattle = join(table, 'location=Seattle');
    copyFileSync(
      join(seattle, 'part-00003-49770b14-9b0c-5be3-a5a7-bd74da96c3a7-c000.zstd.parquet'),
      join(seattle, `more-${version}.parquet`),
    );
    const add = {
      path: `location=Seattle/more-${version}.parquet`,
      partitionValues: { location: 'Seattle' },
      size: statSync(join(seattle, `more-${version}.parquet`)).size,
      modificationTime: 1_711_357_200_000,
      dataChange: true,
      stats: JSON.stringify({ numRecords: 365 }),
    };
    const commitInfo = { timestamp: 1_711_357_200_000 + version, operation: 'WRITE', operationParameters: { mode: 'Append' } };
    writeFileSync(of(version), `${JSON.stringify({ commitInfo })}\n${JSON.stringify({ add })}\n`, { flag: 'wx' });
  };
  try {
    await t.serve([lake]);
    await run(append);
  } finally {
    await t.page.goto('about:blank');
    rmSync(lake, { recursive: true });
  }
}

scenario('a version that appears while the table is open is offered, not forced', async (t) => {
  await withGrowingLake(t, async (append) => {
    await t.open({ table: 'weather' });
    await t.untilShown();
    const total = await t.countOf('weather');
    await totalIs(t, total);
    await t.page.getByRole('option', { name: /^rain/ }).first().click();
    const rain = await t.countOf('weather', RAIN);
    await t.untilSelected(rain);
    const newer = t.page.getByRole('button', { name: /^Newer:/ });
    assert.equal(await newer.count(), 0);

    append(3);
    // The key that asks for tables and versions again. A lake is looked at every few seconds.
    await t.until('the new version is offered', async () => {
      await t.page.keyboard.press('r');
      return newer.isVisible();
    });
    assert.equal(await newer.innerText(), 'Newer: version 3');
    await t.shot('newer');
    // What is shown is the version that was opened, also in what is asked from now on.
    await t.page.getByRole('button', { name: /^version 2\. / }).waitFor();
    assert.match(t.page.url(), /version=2/);
    assert.deepEqual(await t.counts(), { selected: rain, total });
    await t.page.getByRole('option', { name: /^snow/ }).first().click();
    const both = [{ column: 'weather', op: 'in', value: ['rain', 'snow'] }];
    await t.untilSelected(await t.countOf('weather', both, 2));
    assert.equal((await t.counts()).total, total);
    // The list of versions has it at its top.
    await t.page.getByRole('button', { name: /Choose another version/ }).click();
    await t.until('three is above two', async () => {
      const [top, second] = await t.page.locator('.version-option').allInnerTexts();
      return /^3\s[\s\S]*newest/.test(top) && /^2\s/.test(second);
    });
    assert.equal(await t.page.locator('.version-option').nth(1).getAttribute('aria-current'), 'true');
    await t.page.keyboard.press('Escape');

    await newer.click();
    await totalIs(t, total + 365);
    await t.untilSelected(await t.countOf('weather', both));
    assert.notEqual(await t.countOf('weather', both), await t.countOf('weather', both, 2));
    assert.equal(await newer.count(), 0);
    await t.page.goBack();
    await totalIs(t, total);
    await newer.waitFor();
  });
}, raster);

scenario('a new version is noticed unasked', async (t) => {
  // What is done every minute is done every second.
  await t.page.addInitScript(() => {
    const slow = globalThis.setInterval;
    globalThis.setInterval = (run, millis, ...rest) => slow(run, Math.min(millis, 1000), ...rest);
  });
  await withGrowingLake(t, async (append) => {
    await t.open({ table: 'weather' });
    await t.untilShown();
    const total = await t.countOf('weather');
    await totalIs(t, total);
    append(3);
    await t.page.getByRole('button', { name: 'Newer: version 3', exact: true }).waitFor();
    append(4);
    await t.page.getByRole('button', { name: 'Newer: version 4', exact: true }).waitFor();
    await totalIs(t, total);
    await t.page.getByRole('button', { name: 'Newer: version 4', exact: true }).click();
    await totalIs(t, total + 2 * 365);
  });
}, raster);

const openVersions = (t) => t.page.getByRole('button', { name: /Choose another version/ }).click();

scenario('what changed between two versions is rows, a colour and a filter', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  const newest = await t.countOf('weather');
  await totalIs(t, newest);
  await openVersions(t);
  await t.page.getByRole('button', { name: 'Show what changed from version 0 to version 2' }).click();
  await t.page.getByRole('button', { name: /^changes 0 → 2\./ }).waitFor();
  const all = await t.countOf('weather', [], '0..2');
  await totalIs(t, all);
  assert.ok(all > newest, 'rows that are gone are shown as well');
  assert.match(t.page.url(), /version=0\.\.2/);
  const changed = (value) => [{ column: '_change', op: 'eq', value }];
  const legend = t.page.locator('.legend').first();
  for (const change of ['unchanged', 'added', 'removed']) await legend.getByText(change, { exact: true }).waitFor();
  await t.shot('changes');

  // The bars of the changes filter everything else.
  await t.page.getByRole('option', { name: /^removed/ }).first().click();
  const removed = await t.countOf('weather', changed('removed'), '0..2');
  assert.ok(removed > 0);
  await t.untilSelected(removed);

  // The slider moves the later end, and the filter stays.
  await openVersions(t);
  const slider = t.page.getByRole('slider', { name: /^Version, from the oldest/ });
  await slider.focus();
  assert.match(await slider.getAttribute('aria-valuetext'), /^version 2/);
  await t.shot('versions');
  await slider.press('ArrowLeft');
  await t.page.getByRole('button', { name: /^changes 0 → 1\./ }).waitFor();
  await totalIs(t, await t.countOf('weather', [], '0..1'));
  await t.page.keyboard.press('Escape');

  // A link opens the same, and the way back leaves nothing behind.
  const again = await t.newPage();
  await again.goto(t.page.url());
  await totalIs(t, await t.countOf('weather', [], '0..1'), again);
  await again.close();
  await t.page.bringToFront();
  await chooseVersion(t, 2);
  await totalIs(t, newest);
  await t.untilSelected(newest);
  assert.doesNotMatch(t.page.url(), /_change/);
}, raster);

scenario('the slider and a time choose the version', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  const { versions } = await (await fetch(`http://127.0.0.1:${t.wire.upstreamPort}/api/tables/weather/versions`)).json();
  await openVersions(t);
  await t.page.getByRole('slider', { name: /^Version, from the oldest/ }).press('Home');
  await t.page.getByRole('button', { name: /^version 0\./ }).waitFor();
  await totalIs(t, await t.countOf('weather', [], 0));
  // An hour after version 1 was made, in the browser's own time.
  const then = new Date(Date.parse(versions.find(({ version }) => version === 1).timestamp) + 3.6e6);
  const local = new Date(then - then.getTimezoneOffset() * 60e3).toISOString().slice(0, 19);
  await t.page.getByLabel('As of').fill(local);
  await t.page.getByRole('button', { name: /^version 1\./ }).waitFor();
  await totalIs(t, await t.countOf('weather', [], 1));
  await t.page.getByLabel('As of').fill('1990-01-01T00:00:00');
  await t.page.getByText('The table has no version of that time.').waitFor();
}, raster);
