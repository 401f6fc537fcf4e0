// Commands found by typing, and what is selected taken elsewhere: what is copied is run by
// the programs that it is written for.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };
const run = promisify(execFile);

function palette(t) {
  return t.page.getByRole('dialog', { name: 'Find a command' });
}

// Opens the palette, types, and takes what is found first.
async function command(t, text, label) {
  await t.page.keyboard.press('Control+k');
  const field = palette(t).getByRole('combobox');
  await t.until('the field has the focus', () => field.evaluate((input) => document.activeElement === input));
  await t.page.keyboard.type(text);
  const first = palette(t).getByRole('option').first();
  await t.until(`${label} is found first`, async () => (await first.locator('.palette-label').innerText()) === label);
  assert.equal(await first.getAttribute('aria-selected'), 'true');
  assert.equal(await field.getAttribute('aria-activedescendant'), await first.getAttribute('id'));
  await t.page.keyboard.press('Enter');
  await palette(t).waitFor({ state: 'hidden' });
}

scenario('everything is found by typing', async (t) => {
  await t.open();
  await t.page.getByRole('option', { name: /penguins/ }).waitFor();
  await t.page.keyboard.press('Escape');
  await command(t, 'penguins', 'Open penguins');
  await t.untilShown();
  await command(t, 'colour isl', 'Colour by island');
  await t.until('the address says so', () => /scatter:[^&]*:island/.test(decodeURIComponent(t.page.url())));
  await command(t, 'chart of beak_depth', 'Chart of beak_depth_mm');
  await t.page.getByRole('article', { name: 'beak_depth_mm' }).first().waitFor();
  await command(t, 'filter beak_len', 'Filter beak_length_mm');
  const body = t.page.locator('[id="filter-beak_length_mm"]');
  await t.until('its filter has the focus', () => body.evaluate((element) => element.contains(document.activeElement)));
  await command(t, 'sort mass high', 'Sort rows by body_mass_g, highest first');
  await t.page.getByRole('columnheader', { name: /body_mass_g/ }).and(t.page.locator('[aria-sort=descending]')).waitFor();
  await command(t, 'col dark', 'Colours: dark');
  await t.until('it is dark', () => t.page.evaluate(() => document.documentElement.dataset.theme === 'dark'));
  await t.page.keyboard.press('Control+k');
  await palette(t).getByRole('option').first().waitFor();
  await t.shot('palette-dark');
  await t.page.keyboard.type('zzz nothing');
  await palette(t).getByText('Nothing is called that.').waitFor();
  await t.page.keyboard.press('Escape');
  await palette(t).waitFor({ state: 'hidden' });
  // By the pointer, on a narrow screen.
  await t.resize('narrow');
  await t.page.getByRole('button', { name: /^Find a command/ }).click();
  await palette(t).getByRole('option', { name: 'Colours: light' }).scrollIntoViewIfNeeded();
  await t.shot('palette-narrow');
  await palette(t).getByRole('option', { name: 'Colours: light' }).click();
  await t.until('it is light', () => t.page.evaluate(() => document.documentElement.dataset.theme === 'light'));
}, raster);

scenario('what is selected is copied as a query, as SQL, for curl and for Python', async (t) => {
  await t.context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await t.openLink("link=1&table=penguins&filter=species:in:Adelie:Gentoo&filter=beak_length_mm:between:35:45.5&sort=-body_mass_g&columns=species,body_mass_g,beak_length_mm");
  await t.untilShown();
  const { selected } = await t.counts();
  assert.ok(selected > 50, `${selected} rows`);
  const copied = async (text, label) => {
    await command(t, text, label);
    await t.page.getByText(/^Copied .*: it gives the selected rows\.$/).first().waitFor();
    return t.page.evaluate(() => navigator.clipboard.readText());
  };
  const query = JSON.parse(await copied('copy query', 'Copy the selection as a query (JSON)'));
  const rows = await t.ask(query);
  assert.equal(rows.length, selected);
  assert.deepEqual(Object.keys(rows[0]), query.columns);
  const masses = rows.map((row) => row.body_mass_g);
  assert.deepEqual(masses, [...masses].sort((a, b) => b - a));

  const curl = await copied('copy curl', 'Copy the selection as a curl command');
  const csv = (await run('sh', ['-c', curl])).stdout.trim().split('\n');
  assert.equal(csv.length, selected + 1);
  assert.equal(csv[0], query.columns.join(','));

  const python = await copied('copy python', 'Copy the selection as Python');
  const count = `${python}\nprint("rows:", table.num_rows)`;
  const byPython = async (program) => (await run(process.env.LIMN_PYTHON ?? 'python3', ['-c', program])).stdout;
  assert.match(await byPython(count), new RegExp(`rows: ${selected}\\b`));

  // DuckDB, asked over the whole table, finds the same rows in the same order of masses.
  const byDuckDb = async (sql) => JSON.parse(await byPython(`
import json, urllib.request
import duckdb
import pyarrow as pa
body = json.dumps({"table": "penguins"}).encode()
request = urllib.request.Request("${new URL(t.page.url()).origin}/api/query", data=body, headers={"Content-Type": "application/json"})
penguins = pa.ipc.open_stream(urllib.request.urlopen(request)).read_all()
print(json.dumps(duckdb.sql(${JSON.stringify(sql)}).fetchall()))
`));
  const found = await byDuckDb(await copied('copy sql', 'Copy the selection as SQL (DuckDB)'));
  assert.deepEqual(found.map((row) => row[1]), masses);
  const sorted = (all) => all.map((row) => JSON.stringify(row)).sort();
  assert.deepEqual(sorted(found), sorted(rows.map((row) => query.columns.map((name) => row[name]))));

  // An outline, a part of a name and what is greater: as they mean here.
  const outline = 'beak_length_mm:body_mass_g:36.05:3010:48.1:3410:44.3:5230:38.2:4720';
  await t.openLink(`link=1&table=penguins&view=1:scatter:beak_length_mm:body_mass_g&filter=@1:lasso:${outline}&filter=flipper_length_mm:gt:180`);
  await t.untilShown();
  const { selected: within, total } = await t.counts();
  assert.ok(within > 20 && within < total - 20, `${within} of ${total}`);
  const inside = await byDuckDb(await copied('copy sql', 'Copy the selection as SQL (DuckDB)'));
  assert.equal(inside.length, within);
}, raster);

scenario('a view is saved under a name, opened from another table, and deleted', async (t) => {
  await t.openLink('link=1&table=movies&filter=genre:in:Drama');
  await t.untilShown();
  const drama = await t.countOf('movies', [{ column: 'genre', op: 'eq', value: 'Drama' }]);
  await t.untilSelected(drama);
  await t.page.keyboard.press('v');
  const dialog = t.page.getByRole('dialog', { name: 'Saved views' });
  await dialog.getByText('None yet.').waitFor();
  const field = dialog.getByRole('textbox', { name: 'Name of what is on screen' });
  await field.fill('  only   dramas ');
  await field.press('Enter');
  await dialog.getByRole('button', { name: 'only dramas', exact: true }).waitFor();
  await t.shot('saved-views');
  await t.page.keyboard.press('Escape');

  // From another table, by the palette; the way back leads there again.
  await t.openLink('link=1&table=weather');
  await t.untilShown();
  const weather = await t.countOf('weather');
  await t.untilSelected(weather);
  await t.page.keyboard.press('Control+k');
  await t.page.locator('.palette-search input').fill('dramas');
  await t.page.keyboard.press('Enter');
  await t.untilSelected(drama);
  await t.page.goBack();
  await t.untilSelected(weather);

  // What is deleted can be had back.
  await t.page.keyboard.press('v');
  await dialog.getByRole('button', { name: 'Delete only dramas' }).click();
  await dialog.getByText('None yet.').waitFor();
  await t.page.keyboard.press('Escape');
  await t.page.getByRole('button', { name: 'Undo', exact: true }).last().click();
  await t.reload();
  await t.untilShown();
  await t.page.keyboard.press('v');
  await dialog.getByRole('button', { name: 'only dramas', exact: true }).click();
  await t.untilSelected(drama);
}, raster);
