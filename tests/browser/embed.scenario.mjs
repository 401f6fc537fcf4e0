// Vectors mapped from the page: the form, the companion's job, and the map that comes of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };

// Handwritten digits, 8 × 8 pixels each as a vector; and noise, which takes k-means a while.
const MAKE = `
import sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from sklearn.datasets import load_digits
folder = sys.argv[1]
vectors = lambda values: pa.FixedSizeListArray.from_arrays(pa.array(values.astype("f4").ravel()), values.shape[1])
digits = load_digits()
n = len(digits.target)
pq.write_table(pa.table({
    "uuid": [f"digit-{i:04}" for i in range(n)],
    "digit": [str(digit) for digit in digits.target],
    "ink": digits.data.sum(axis=1),
    "emb": vectors(digits.data),
}), folder + "/digits.parquet")
noise = np.random.default_rng(5).normal(size=(250_000, 64))
pq.write_table(pa.table({"id": np.arange(250_000), "emb": vectors(noise)}), folder + "/noise.parquet")
pq.write_table(pa.table({"a": [1, 2, 3]}), folder + "/plain.parquet")
`;

async function withLake(t, run) {
  const lake = mkdtempSync(join(tmpdir(), 'limn-embed-'));
  try {
    execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, lake]);
    await t.serve([lake]);
    await run(lake);
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}

const dialog = (t) => t.page.getByRole('dialog', { name: 'Map vectors' });
const line = (t, name) => dialog(t).locator('.embed-job').filter({ hasText: name });

async function openDialog(t) {
  await t.page.getByRole('button', { name: 'Map', exact: true }).click();
  await dialog(t).getByLabel('New table').waitFor();
}

scenario('the vectors of a table become a map with clusters', (t) => withLake(t, async () => {
  await t.open({ table: 'digits' });
  await t.untilShown();
  await openDialog(t);
  assert.equal(await dialog(t).getByLabel('New table').inputValue(), 'digits-map');
  assert.equal(await dialog(t).getByLabel('Vectors', { exact: true }).inputValue(), 'emb');
  await dialog(t).getByText(/^About .* for 1,797 × 64$/).waitFor();
  // So many clusters as are typed, or as a column has values.
  const [dragged, typed] = ['How many clusters', 'Clusters, as a number'].map((name) => dialog(t).getByLabel(name));
  await typed.fill('7');
  await typed.press('Tab');
  assert.equal(await dragged.inputValue(), '7');
  await dialog(t).getByLabel('As many as values of').selectOption({ label: 'digit (10)' });
  assert.deepEqual([await dragged.inputValue(), await typed.inputValue()], ['10', '10']);
  await t.shotsOfAll('embed-form');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'digits-map').getByRole('button', { name: 'Open' }).click();
  await dialog(t).waitFor({ state: 'hidden' });
  await t.untilShown();
  await t.untilSelected(1797);
  assert.equal(t.parameter('table'), 'digits-map');

  // UMAP is what is offered first; clusters are made before it, that a layout is seen in their colours.
  const jobs = await (await fetch(`http://127.0.0.1:${t.wire.upstreamPort}/api/jobs`)).json();
  assert.deepEqual(jobs.jobs[0].metrics.steps.map((step) => step.algorithm), ['kmeans', 'umap']);

  // Clusters colour the points, and filter like any other column.
  const legend = t.page.locator('.legend');
  await legend.first().waitFor();
  const counts = await t.ask({ table: 'digits-map', group_by: ['cluster'], aggregates: [{ op: 'count', as: 'n' }] });
  assert.equal(counts.length, 10);
  assert.ok((await t.ink(t.page.locator('canvas').first())).colours > 20);
  await t.shotsOfAll('embed-map');
  const [first] = counts;
  await t.page.getByRole('option', { name: new RegExp(`^${first.cluster}\\b`) }).first().click();
  await t.untilSelected(Number(first.n));

  // The map has the columns of its source.
  await t.filter('digit').then((filter) => filter.waitFor());

  // What is typical of a cluster, and what is far out, by their distances; here, and by the companion.
  const { cluster } = counts[3];
  const filters = [{ column: 'cluster', op: 'eq', value: cluster }];
  const nearest = async (descending) => {
    const order_by = [{ column: 'cluster_distance', descending }];
    const rows = await t.ask({ table: 'digits-map', columns: ['_row', 'cluster_distance'], filters, order_by, limit: 3 });
    return rows.map((row) => `#${row._row}`);
  };
  const distances = await t.ask({ table: 'digits-map', columns: ['cluster_distance'], filters });
  const variance = distances.reduce((sum, row) => sum + row.cluster_distance ** 2, 0) / distances.length;
  const groups = t.page.getByRole('dialog', { name: 'Groups' });
  const row = groups.locator('tbody tr').filter({ has: t.page.getByRole('button', { name: cluster, exact: true }) });
  for (const budget of ['', '&budget=1']) {
    await t.openLink(`link=1&table=digits-map&columns=cluster,cluster_distance,digit&view=1:bars:cluster:12${budget}`);
    await t.untilShown();
    await t.page.keyboard.press('s');
    await row.locator('.groups-example').nth(5).waitFor();
    const shown = await row.locator('.groups-example').allTextContents();
    assert.deepEqual(shown, [...await nearest(false), ...await nearest(true)]);
    assert.equal(Number(await row.locator('td.number').nth(1).textContent()).toFixed(3), variance.toFixed(3));
    if (!budget) await t.shotsOfAll('groups-examples');
    await row.locator('.groups-example').first().click();
    await groups.waitFor({ state: 'hidden' });
    const record = t.page.getByRole('complementary', { name: 'Record' });
    await record.getByRole('heading', { name: `Row ${Number(shown[0].slice(1)).toLocaleString('en')}`, exact: true }).waitFor();
  }
}), raster);

scenario('what few change is folded away, is checked, and goes to the job', (t) => withLake(t, async () => {
  await t.open({ table: 'digits' });
  await t.untilShown();
  await openDialog(t);
  const neighbours = dialog(t).getByLabel('Neighbours of a row');
  assert.ok(!(await neighbours.isVisible()));
  await dialog(t).getByText('More choices').click();
  await neighbours.fill('5000');
  await dialog(t).getByText('More choices').click();
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  // What is wrong is shown, and nothing was begun.
  await neighbours.waitFor();
  assert.equal(await neighbours.evaluate((input) => input.validity.rangeOverflow), true);
  assert.equal(await dialog(t).locator('.embed-job').count(), 0);
  await neighbours.fill('30');
  await dialog(t).getByLabel('Least distance').fill('0.5');
  await dialog(t).getByLabel('Seed').fill('7');
  await dialog(t).getByLabel('Begin by eigenvectors').check();
  await dialog(t).getByLabel('Learn clusters from some rows at a time').check();
  await dialog(t).getByLabel('Centroids as a table too').check();
  await dialog(t).getByLabel('Nearest neighbours as a table too').check();
  assert.equal(await dialog(t).getByLabel('Perplexity').count(), 0);
  await t.shotsOfAll('embed-more');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'digits-map').getByRole('button', { name: 'Open' }).waitFor();
  const at = `http://127.0.0.1:${t.wire.upstreamPort}/api`;
  const jobs = async () => (await (await fetch(`${at}/jobs`)).json()).jobs;
  const [{ job }] = await jobs();
  const [means, umap] = job.steps;
  assert.deepEqual([means.mini_batch, umap.neighbours, umap.min_dist, umap.init, job.seed], [true, 30, 0.5, 'spectral', 7]);
  const tables = (await (await fetch(`${at}/tables`)).json()).tables.map((table) => table.name);
  assert.deepEqual(tables, ['digits', 'digits-map', 'digits-map-centroids', 'digits-map-neighbours', 'noise', 'plain']);
  assert.equal((await t.ask({ table: 'digits-map-centroids', columns: ['_row'], limit: 100 })).length, 10);

  // Rows of the same table are placed on that map.
  await dialog(t).getByLabel('Centroids as a table too').uncheck();
  await dialog(t).getByLabel('Nearest neighbours as a table too').uncheck();
  await dialog(t).getByLabel('Begin by eigenvectors').uncheck();
  await dialog(t).getByLabel('Place on the map').selectOption('digits-map');
  await dialog(t).getByLabel('New table').fill('placed');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'placed').getByRole('button', { name: 'Open' }).waitFor();
  assert.equal((await jobs())[0].job.onto, 'digits-map');
}), raster);

scenario('a map of the selected rows alone, by key, without clusters', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=digits&filter=digit:in:%273:%275');
  const expected = await t.countOf('digits', [{ column: 'digit', op: 'in', value: ['3', '5'] }]);
  await t.untilSelected(expected);
  await t.page.keyboard.press('m');
  await dialog(t).getByLabel(`The ${expected} that pass the filters`).waitFor();
  assert.ok(await dialog(t).getByLabel(`The ${expected} that pass the filters`).isChecked());
  await dialog(t).getByLabel('Clusters', { exact: true }).selectOption('none');
  await dialog(t).getByLabel('New table').fill('threes');
  await dialog(t).getByLabel('New table').press('Enter');
  await line(t, 'threes').getByRole('button', { name: 'Open' }).click();
  await t.untilSelected(expected);
  assert.equal(t.parameter('table'), 'threes');
  assert.equal(t.parameter('view'), '1:scatter:dim_1:dim_2');
}), raster);

scenario('dense places of a map are groups that are understood', (t) => withLake(t, async () => {
  await t.open({ table: 'digits' });
  await t.untilShown();
  await openDialog(t);
  await dialog(t).getByLabel('Layout').selectOption('tsne');
  await dialog(t).getByLabel('Clusters', { exact: true }).selectOption('dense');
  await dialog(t).getByLabel('Rows at least').fill('20');
  await t.shot('embed-form-dense');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'digits-map').getByRole('button', { name: 'Open' }).click();
  await t.untilShown();
  await t.untilSelected(1797);
  const groups = t.page.getByRole('dialog', { name: 'Groups' });
  await t.page.keyboard.press('s');
  // What colours the points is meant, and a cluster is mostly one digit.
  assert.equal(await groups.getByLabel('Groups of').inputValue(), 'cluster');
  await groups.locator('.groups-trait').filter({ hasText: /^digit/ }).first().waitFor();
  await groups.getByRole('tab', { name: 'Beside a column' }).click();
  await groups.getByLabel('Column').selectOption('digit');
  const rand = groups.locator('.groups-figures dd').first();
  await t.until('groups agree with digits', async () => Number(await rand.textContent()) > 0.75);
  await t.shotsOfAll('groups-digits');
}), raster);

scenario('a name that is taken is said, and a job is followed, cancelled and found again', (t) => withLake(t, async () => {
  await t.open({ table: 'noise' });
  await t.untilShown();
  await openDialog(t);
  await dialog(t).getByLabel('New table').fill('plain');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  const refusal = dialog(t).getByRole('alert');
  assert.match(await refusal.innerText(), /another format/);
  assert.equal(await dialog(t).getByLabel('New table').getAttribute('aria-invalid'), 'true');
  t.allow(/409/);
  await dialog(t).getByLabel('New table').fill('slow');
  await dialog(t).getByLabel('Layout').selectOption('pca');
  await dialog(t).getByLabel('How many clusters').fill('100');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'slow').getByRole('progressbar').waitFor();
  await t.until('it computes', async () => (await line(t, 'slow').innerText()).includes('kmeans'));
  await t.shot('embed-running');

  // Another visit finds it running.
  await t.reload();
  await t.untilShown();
  await openDialog(t);
  await line(t, 'slow').getByRole('button', { name: 'Cancel slow' }).click();
  await t.until('it is cancelled', async () => (await line(t, 'slow').innerText()).includes('cancelled'));
  const tables = await (await fetch(`http://127.0.0.1:${t.wire.upstreamPort}/api/tables`)).json();
  assert.deepEqual(tables.tables.map((table) => table.name), ['digits', 'noise', 'plain']);

  // Whoever closed the dialog is told when a map is there.
  await dialog(t).getByLabel('Layout').selectOption('pca');
  await dialog(t).getByLabel('Clusters', { exact: true }).selectOption('none');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'noise-map').waitFor();
  await t.page.keyboard.press('Escape');
  await t.page.locator('.notice').filter({ hasText: 'noise-map is ready' }).getByRole('button', { name: 'Open' }).click();
  await t.untilSelected(250_000);
  assert.equal(t.parameter('table'), 'noise-map');
}), raster);

scenario('a table without vectors offers no map, and says why where it is asked for', (t) => withLake(t, async () => {
  await t.open({ table: 'plain' });
  await t.untilShown();
  assert.equal(await t.page.getByRole('button', { name: 'Map', exact: true }).count(), 0);
  await t.page.keyboard.press('m');
  await dialog(t).getByText('no column of vectors').waitFor();
}), raster);

scenario('vectors are mapped in the browser, without any companion', (t) => withLake(t, async (lake) => {
  t.allow(/404/);
  const host = await new StaticHost().start({});
  try {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await t.page.getByText('There is no companion here').waitFor();
    const data = await t.page.evaluateHandle(async (base64) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], 'digits.parquet'));
      return data;
    }, readFileSync(join(lake, 'digits.parquet')).toString('base64'));
    await t.page.dispatchEvent('body', 'drop', { dataTransfer: data });
    await t.untilSelected(1797);
    await openDialog(t);
    await dialog(t).getByLabel('Beside it').selectOption('pca');
    await t.shotsOfAll('embed-here-form');
    await dialog(t).getByRole('button', { name: 'Start' }).click();
    await line(t, /digits/).getByRole('progressbar').waitFor();
    // Points are seen while they move.
    const live = dialog(t).getByRole('img', { name: 'The points of digits-map, coloured by cluster' });
    await live.waitFor();
    await t.until('points are drawn', async () => (await t.ink(live)).share > 0.02);
    await t.shot('embed-here-running');
    await line(t, /digits/).getByRole('button', { name: 'Open' }).waitFor();
    await t.untilStill(live);
    await t.shotsOfAll('embed-here-made');
    // Clusters follow the form, and what is opened follows them.
    const before = await live.screenshot();
    await dialog(t).getByLabel('How many clusters').fill('4');
    await line(t, /digits/).getByText('1,797 rows in 4 clusters; silhouette 0.').waitFor();
    await t.untilStill(live);
    assert.ok((await t.difference(before, await live.screenshot())) > 0.02, 'the colours are others');
    await dialog(t).getByLabel('How many clusters').fill('10');
    await line(t, /digits/).getByText('1,797 rows in 10 clusters').waitFor();
    await line(t, /digits/).getByRole('button', { name: 'Open' }).click();
    await t.untilSelected(1797);
    await t.untilShown();
    assert.match(t.page.url(), /table=file(:|%3A)digits-map\.arrows/);
    // Both layouts, of which a selection in one is one in the other.
    assert.equal(await t.page.locator('[data-view] .plot canvas').count(), 2);
    await t.shot('embed-here-map');
    // Like digits are in like clusters, as far as k-means finds them (scikit-learn: 0.6 to 0.67).
    const agreement = await agreementOf(t);
    assert.ok(agreement > 0.55, `adjusted Rand index ${agreement}`);
  } finally {
    await t.page.goto('about:blank');
    await host.stop();
  }
}), raster);

scenario('a table of the companion is mapped in the browser, what is selected alone, and given up', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=digits&columns=digit,uuid');
  await t.untilShown();
  await t.page.locator('.filter-toggle', { hasText: 'digit' }).click();
  await t.page.locator('.filter').getByRole('option', { name: /^3/ }).click();
  const selected = await t.countOf('digits', [{ column: 'digit', op: 'eq', value: '3' }]);
  await t.untilSelected(selected);
  await openDialog(t);
  await dialog(t).getByLabel('This browser').check();
  await dialog(t).getByLabel('Layout').selectOption('pca');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  // Its vectors were not here before.
  await line(t, 'digits-map').getByText(`${selected} rows in`).waitFor();
  await line(t, 'digits-map').getByRole('button', { name: 'Open' }).click();
  await t.untilSelected(selected);
  // One that takes long is given up, and says so.
  await t.openLink('link=1&table=noise&columns=id');
  await t.untilShown();
  await openDialog(t);
  await dialog(t).getByLabel('This browser').check();
  await dialog(t).getByLabel('New table').fill('long');
  await dialog(t).getByRole('button', { name: 'Start' }).click();
  await line(t, 'long').getByRole('button', { name: 'Cancel' }).click();
  await line(t, 'long').getByText('cancelled').waitFor();
}), raster);

// How far clusters agree with the digits, as the groups of the page say.
async function agreementOf(t) {
  await t.page.keyboard.press('s');
  const groups = t.page.getByRole('dialog', { name: 'Groups' });
  await groups.getByLabel('Groups of').selectOption('cluster');
  await groups.getByRole('tab', { name: 'Beside a column' }).click();
  await groups.getByLabel('Column').selectOption('digit');
  const index = groups.locator('.groups-figures div').filter({ hasText: 'Adjusted Rand index' }).locator('dd');
  await index.waitFor();
  return Number(await index.innerText());
}
