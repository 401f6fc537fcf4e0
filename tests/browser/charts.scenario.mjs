// Histograms by logarithms and shares, heat maps, lines by time and boxes: the numbers they
// draw are the companion's, and choosing in them filters the rest. Where the columns do not
// fit the browser, the companion draws the same.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

// The numbers of a view, by its table: [head, …rows].
async function numbers(t, name) {
  const view = t.page.getByRole('article', { name, exact: true });
  const region = view.getByRole('region', { name: `Numbers of ${name}` });
  if (!(await region.count())) await menu(t, name, 'Show as a table');
  await region.waitFor();
  return region.locator('tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
}

async function menu(t, name, entry) {
  const view = t.page.getByRole('article', { name, exact: true });
  const item = view.getByRole('button', { name: entry, exact: true });
  if (!(await item.isVisible())) await view.getByRole('button', { name: `Menu of ${name}`, exact: true }).click();
  await item.click();
}

const filters = (page) => [...new URL(page.url()).searchParams.getAll('filter')];

scenario('a histogram by logarithms and shares says what it draws', async (t) => {
  await t.openLink('link=1&table=flights&columns=distance,delay&view=1:histogram:distance:20&view=2:histogram:delay:20');
  await t.untilShown();
  const name = 'Histogram of distance';
  await menu(t, name, 'Log axis');
  await t.until('the address says so', () => t.page.url().includes(':20:log'));
  const [head, ...rows] = await numbers(t, name);
  assert.deepEqual(head, ['from', 'to', 'rows', 'all rows']);
  const total = rows.reduce((sum, row) => sum + Number(row[2]), 0);
  const above = await t.countOf('flights', [{ column: 'distance', op: 'gt', value: 0 }]);
  assert.equal(total, above);
  await t.shot('charts-log-table', t.page.getByRole('article', { name, exact: true }));
  await menu(t, name, 'Show as a table');
  await t.shot('charts-log', t.page.getByRole('article', { name, exact: true }));
  // Delays below zero have no logarithm: they are counted.
  const delays = 'Histogram of delay';
  await menu(t, delays, 'Log axis');
  const none = await t.countOf('flights', [{ column: 'delay', op: 'le', value: 0 }]);
  const label = t.page.getByRole('article', { name: delays, exact: true }).getByRole('group', { name: /not above zero/ });
  await t.until('what has no logarithm', async () => (await label.getAttribute('aria-label')).includes(`${none.toLocaleString('en')} not above zero`));
  await menu(t, delays, 'Log axis');
  await menu(t, delays, 'Cumulative share');
  const shares = await numbers(t, delays);
  const [, upTo, , , share] = shares[8];
  const before = await t.countOf('flights', [{ column: 'delay', op: 'lt', value: Number(upTo.replaceAll(',', '').replace('−', '-')) }]);
  const all = await t.countOf('flights', [{ column: 'delay', op: 'not_null' }]);
  assert.ok(Math.abs(Number(share) - before / all) < 1e-6, `${share} is not ${before} / ${all}`);
  await menu(t, delays, 'Show as a table');
  await t.shot('charts-share', t.page.getByRole('article', { name: delays, exact: true }));
  // What was chosen is there again after a reload.
  await t.reload();
  await t.untilShown();
  assert.match(t.page.url(), /delay:20:share/);
}, raster);

scenario('a cell of a heat map filters to what it counts', async (t) => {
  await t.openLink('link=1&table=movies&view=1:heat:imdb:genre:20&view=2:histogram:running_time_min:20');
  await t.untilShown();
  const chart = t.page.getByRole('application', { name: /Heat map of genre by imdb/ });
  await chart.focus();
  for (let step = 0; step < 14; step++) await t.page.keyboard.press('ArrowRight');
  const said = t.page.getByRole('article', { name: 'genre by imdb, counted' }).locator('.view-readout');
  const words = await said.innerText();
  const count = Number(words.match(/: ([\d,]+) row/)[1].replaceAll(',', ''));
  assert.ok(count > 0, words);
  await t.shot('charts-heat', t.page.getByRole('article', { name: 'genre by imdb, counted' }));
  await t.page.keyboard.press('Enter');
  await t.untilSelected(count);
  assert.equal(filters(t.page).length, 1);
  assert.equal(await chart.locator('rect.box').count(), 1);
  // Its own clause is left out: the cells are as they were.
  assert.ok((await said.innerText()).startsWith(words.split(':')[0]));
  await t.page.keyboard.press('Escape');
  await t.untilSelected((await t.counts()).total);
  // A drag over cells is their box.
  const box = await chart.boundingBox();
  await t.drag([[box.x + box.width * 0.5, box.y + box.height * 0.3], [box.x + box.width * 0.8, box.y + box.height * 0.6]]);
  await t.until('a box', () => filters(t.page).length === 1);
  const { selected, total } = await t.counts();
  assert.ok(selected > 0 && selected < total);
  await t.page.keyboard.press('Control+z');
  await t.untilSelected(total);
}, raster);

scenario('lines by time are the companion\'s, and brush the time', async (t) => {
  await t.openLink('link=1&table=flights&columns=date,delay,state&view=1:line:date:count::state:week&view=2:line:date:mean:delay&view=3:histogram:delay:20');
  await t.untilShown();
  const name = 'mean of delay by date';
  const [head, ...rows] = await numbers(t, name);
  assert.deepEqual(head, ['date', 'mean of delay', 'rows', 'all rows']);
  const step = rows.length > 100 ? 'P1D' : 'P1W';
  const expected = await t.ask({
    table: 'flights', group_by: [{ column: 'date', bin: { step }, as: 'x' }],
    aggregates: [{ op: 'count', as: 'n' }, { op: 'mean', column: 'delay', as: 'v' }], filters: [{ column: 'date', op: 'not_null' }],
  });
  const filled = rows.filter((row) => row[2] !== '0');
  assert.deepEqual(filled.map((row) => Number(row[2])), expected.map((row) => Number(row.n)));
  filled.forEach((row, at) => assert.ok(Math.abs(Number(row[1]) - expected[at].v) <= 1e-9 * Math.abs(expected[at].v)));
  await menu(t, name, 'Show as a table');
  const lines = t.page.getByRole('article', { name: 'rows by date and state' });
  await t.shot('charts-lines', lines);
  await t.shot('charts-line-mean', t.page.getByRole('article', { name }));
  const surface = lines.locator('.brush-surface');
  await surface.scrollIntoViewIfNeeded();
  const box = await surface.boundingBox();
  await t.drag([0.3, 0.6].map((share) => [box.x + box.width * share, box.y + box.height / 2]));
  await t.until('the range of dates', () => filters(t.page).length === 1);
  const clause = new URL(t.page.url()).search.match(/filter=date:between:([^&]+)/)[1].split(':').map(decodeURIComponent);
  await t.untilSelected(await t.countOf('flights', [{ column: 'date', op: 'between', value: clause }]));
}, raster);

scenario('boxes choose groups, and are violins too', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:box:body_mass_g:species&view=2:bars:species:12');
  await t.untilShown();
  const name = 'body_mass_g by species';
  const [, ...rows] = await numbers(t, name);
  for (const row of rows) {
    const [expected] = await t.ask({
      table: 'penguins', filters: [{ column: 'species', op: 'eq', value: row[0] }],
      aggregates: [
        { op: 'count', column: 'body_mass_g', as: 'n' }, { op: 'mean', column: 'body_mass_g', as: 'm' },
        ...[0.25, 0.5, 0.75].map((q, at) => ({ op: 'quantile', column: 'body_mass_g', q, as: `q${at}` })),
      ],
    });
    assert.equal(Number(row[1]), expected.n);
    [[2, 'm'], [5, 'q0'], [6, 'q1'], [7, 'q2']].forEach(([at, key]) => assert.ok(Math.abs(Number(row[at]) - expected[key]) < 1e-6, `${row}`));
  }
  await menu(t, name, 'Show as a table');
  const view = t.page.getByRole('article', { name });
  await t.shot('charts-boxes', view);
  await menu(t, name, 'Violins: densities');
  await t.until('violins', () => t.page.url().includes('violin:body_mass_g:species'));
  await t.shot('charts-violins', view);
  const chart = view.getByRole('application');
  await chart.focus();
  await t.page.keyboard.press('ArrowDown');
  await t.page.keyboard.press('Enter');
  await t.untilSelected(await t.countOf('penguins', [{ column: 'species', op: 'eq', value: rows[0][0] }]));
  await t.shotsOfAll('charts-violins-page');
}, raster);

scenario('what does not fit the browser is drawn alike by the companion', async (t) => {
  const views = [
    'view=1:heat:temp_max:wind:20', 'view=2:heat:weather:temp_max:20', 'view=3:line:date:median:wind:weather:month',
    'view=4:box:wind:weather', 'view=5:histogram:precipitation:20:log', 'view=6:line:date:mean:temp_max',
  ];
  const link = `link=1&table=weather&${views.join('&')}&numbers=1,2,3,4,5,6&filter=temp_min:between:2:15`;
  const tables = async () =>
    t.page.locator('.twin').evaluateAll((twins) => twins.map((twin) => [...twin.querySelectorAll('tr')].map((row) => [...row.cells].map((cell) => cell.textContent))));
  await t.openLink(link);
  await t.untilShown();
  const here = await tables();
  assert.equal(here.length, 6);
  await t.openLink(`${link}&budget=1`);
  await t.until('answers of the companion', async () => (await t.page.locator('.view .reduction').count()) === 6);
  await t.until('numbers', async () => (await tables()).every((table) => table.length > 1));
  const there = await tables();
  here.forEach((table, view) => {
    assert.equal(table.length, there[view].length, `view ${view + 1}`);
    table.forEach((row, line) => row.forEach((cell, at) => {
      const other = there[view][line][at];
      const near = cell === other || Math.abs(Number(cell) - Number(other)) <= 1e-9 * Math.abs(Number(cell));
      assert.ok(near, `view ${view + 1}, line ${line}: ${row} is not ${there[view][line]}`);
    }));
  });
}, raster);
