// Rows that are selected, looked at as a group: what sets them apart, a name for them, and a table
// with a column of names, by the companion and by the browser alone.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

// A map with three islands, of which two are one family's, with texts, numbers and clusters that
// take two islands for one.
const MAKE = `
import json, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
random = np.random.default_rng(11)
of = random.choice(3, size=6000, p=[.5, .3, .2])
middles = np.array([[0, 0], [6, 0], [6, 6]])
places = middles[of] + random.uniform(-1, 1, size=(6000, 2))
family = np.array(["Fringillidae", "Corvidae", "Corvidae"])[of]
astray = random.random(6000) < .05
family[astray] = "Paridae"
said = np.array(["seen in a garden", "seen on a roof", "heard at a quarry"])[of]
table = {
    "id": [f"s{i:05}" for i in range(6000)],
    "map_1": places[:, 0].astype("f4"), "map_2": places[:, 1].astype("f4"),
    "family": family,
    "length": np.array([15.0, 60.0, 90.0])[of] * random.uniform(.9, 1.1, size=6000),
    "note": [f"{text}, no. {i}" for i, text in enumerate(said)],
    "cluster": (of > 0).astype("i4"),
    "emb": pa.FixedSizeListArray.from_arrays(pa.array(random.normal(size=18000).astype("f4")), 3),
}
pq.write_table(pa.table(table), sys.argv[1] + "/birds.parquet")
rows, others = of == 2, of != 2
print(json.dumps({
    "islands": [int((of == i).sum()) for i in range(3)],
    "finches": int((family == "Fringillidae").sum()),
    "corvidae": [float((family[of == 2] == "Corvidae").mean()), float((family[of != 2] == "Corvidae").mean())],
    "among": [float((family[of == 2] == "Corvidae").mean()), float((family[of == 1] == "Corvidae").mean())],
    "length": [float(table["length"][of == 2].mean()), float(table["length"][of != 2].mean())],
}))
`;

async function withLake(t, run) {
  const lake = mkdtempSync(join(tmpdir(), 'limn-naming-'));
  try {
    const truth = execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, lake], { encoding: 'utf8' });
    await t.serve([lake]);
    await run(JSON.parse(truth), lake);
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}

const dialog = (t) => t.page.getByRole('dialog', { name: 'Groups' });
const line = (t, column) => dialog(t).locator('.groups-traits-table tbody tr').filter({ has: t.page.getByRole('cell', { name: column, exact: true }) });
const named = (t) => dialog(t).locator('.groups-named li');
const count = (number) => number.toLocaleString('en');
const percent = (share) => (share < 0.1 ? `${(share * 100).toFixed(1)} %` : `${(share * 100).toFixed(0)} %`);
const map = 'link=1&table=birds&columns=map_1,map_2,family,length,note,cluster&view=1:scatter:map_1:map_2:family';
// Around the island at the top right.
const island = '@1:lasso:map_1:map_2:4.5:4:7.5:4:7.5:8:4.5:8';

// The island, with the pointer.
async function lassoIsland(t) {
  const plot = t.page.getByRole('application');
  const box = await plot.boundingBox();
  const at = ([x, y]) => [box.x + box.width * x, box.y + box.height * y];
  await t.page.getByRole('button', { name: 'Select with a lasso' }).click();
  await t.drag([[0.6, 0.03], [0.97, 0.03], [0.97, 0.45], [0.6, 0.45], [0.6, 0.03]].map(at), 8);
}

async function namesOf(t, table, column = 'label') {
  const rows = await t.ask({ table, group_by: [column], aggregates: [{ op: 'count', as: 'n' }] });
  return Object.fromEntries(rows.map((row) => [row[column], Number(row.n)]));
}

scenario('what is lassoed is a group: what it is made of, its name, and a table of names', (t) => withLake(t, async (truth) => {
  const [, near, far] = truth.islands;
  await t.openLink(map);
  await t.untilShown();
  await lassoIsland(t);
  await t.untilSelected(far);
  await t.page.keyboard.press('s');
  await dialog(t).getByRole('tab', { name: 'Selection', selected: true }).waitFor();
  await dialog(t).getByText(`${count(far)} rows beside ${count(6000 - far)} others`).waitFor();
  // As often as counted elsewhere; words of texts, and numbers.
  await line(t, 'family').getByText('Corvidae').waitFor();
  const shares = async () => (await line(t, 'family').locator('.groups-share').allInnerTexts()).map((text) => text.trim());
  assert.deepEqual(await shares(), truth.corvidae.map(percent));
  await line(t, 'note').getByText('“heard”').waitFor();
  const means = (await line(t, 'length').locator('.number').allInnerTexts()).map((text) => Number(text.replace('mean ', '')));
  assert.equal(means.length, 2);
  means.forEach((mean, at) => assert.ok(Math.abs(mean - truth.length[at]) < 0.1, `${means}`));
  const input = dialog(t).getByLabel('Name of the selected rows');
  assert.match(await input.getAttribute('placeholder'), /Corvidae|heard|quarry/);
  await input.fill('Quarry birds: & more');
  await input.press('Enter');
  await t.until('it has the name', async () => (await named(t).count()) === 1);
  await t.shotsOfAll('naming');

  // Names go with the link and are undone.
  await t.page.keyboard.press('Escape');
  const url = t.page.url();
  assert.match(url, /rows-named=Quarry/);
  await t.page.keyboard.press('Control+z');
  await t.until('it is undone', () => !/rows-named/.test(t.page.url()));
  await t.page.keyboard.press('Control+Shift+z');
  await t.until('and done again', () => /rows-named/.test(t.page.url()));
  await t.page.goto('about:blank');
  await t.page.goto(url);
  await t.untilShown();

  // Filters alone are a group too, from their line.
  await t.page.locator('.clear-all').click();
  await t.untilSelected(6000);
  await t.openLink(`${t.page.url().split('?')[1]}&filter=family:eq:Fringillidae`);
  await t.untilShown();
  await t.page.getByRole('button', { name: 'Name these rows …' }).click();
  await dialog(t).getByText(`${count(truth.finches)} rows beside ${count(6000 - truth.finches)} others`).waitFor();
  await t.until('a name is proposed', async () => (await input.getAttribute('placeholder')).includes('Fringillidae')
    || (await input.getAttribute('placeholder')).includes('garden'));
  await input.fill('finches');
  await dialog(t).getByRole('button', { name: 'Name these rows', exact: true }).click();
  await t.until('both have names', async () => (await named(t).count()) === 2);
  assert.deepEqual(await named(t).locator('input').evaluateAll((all) => all.map((one) => one.value)), ['Quarry birds: & more', 'finches']);
  // Rows of a name are selected again, called otherwise, or forgotten.
  await dialog(t).getByRole('button', { name: 'Select Quarry birds: & more' }).click();
  await t.untilSelected(far);
  await named(t).first().locator('input').fill('quarry');
  await named(t).first().locator('input').press('Enter');
  await input.fill('gone soon');
  await input.press('Enter');
  await dialog(t).getByRole('button', { name: 'Forget the name gone soon' }).click();
  await t.until('two are left', async () => (await named(t).count()) === 2);

  // Saved by the companion, over what the clusters say of all other rows.
  await dialog(t).getByLabel('All other rows').selectOption('cluster');
  assert.equal(await dialog(t).getByLabel('New table').inputValue(), 'birds-named');
  t.allow(/status of 409/);
  await dialog(t).getByLabel('New table').fill('birds');
  await dialog(t).getByRole('button', { name: 'Save as a table' }).click();
  await dialog(t).getByRole('alert').waitFor();
  await dialog(t).getByLabel('New table').fill('birds-named');
  await t.shotsOfAll('naming-save');
  await dialog(t).getByRole('button', { name: 'Save as a table' }).click();
  await dialog(t).locator('.embed-job').getByRole('button', { name: 'Open' }).click();
  await dialog(t).waitFor({ state: 'hidden' });
  await t.untilShown();
  await t.untilSelected(6000);
  assert.equal(t.parameter('table'), 'birds-named');
  assert.match(t.parameter('view'), /scatter:map_1:map_2:label/);
  await t.page.getByRole('list', { name: 'Colours of label' }).getByText('quarry').waitFor();
  const found = await namesOf(t, 'birds-named');
  const inQuarry = await t.countOf('birds-named', [{ column: 'map_2', op: 'gt', value: 4 }, { column: 'family', op: 'ne', value: 'Fringillidae' }]);
  assert.equal(found.quarry, inQuarry);
  assert.equal(found.finches, truth.finches);
  assert.equal(found.finches + found.quarry + (found[0] ?? 0) + (found[1] ?? 0), 6000);
  assert.ok(found[1] > 0 && found[1] <= near);
  await t.shotsOfAll('naming-table');
  // What it is of is in its history, vectors are in it, and the names are no longer on their way.
  const { columns } = await (await fetch(`http://127.0.0.1:${t.wire.upstreamPort}/api/tables/birds-named`)).json();
  assert.deepEqual(columns.map((column) => column.name).slice(-2), ['emb', 'label']);
  assert.ok(!/rows-named/.test(t.page.url()));
}), raster);

scenario('a group is beside the rows that pass the other filters, here and by the companion', (t) => withLake(t, async (truth) => {
  for (const budget of ['', '&budget=1']) {
    await t.openLink(`${map}&filter=${island}&filter=length:gt:30${budget}`);
    await t.untilShown();
    await t.page.keyboard.press('s');
    await dialog(t).getByText(/rows beside .* others/).waitFor();
    await dialog(t).getByText('among length').waitFor();
    const [, near, far] = truth.islands;
    await dialog(t).getByText(`${count(far)} rows beside ${count(near)} others`).waitFor();
    // Both islands are of one family: the note and the length are what is left.
    await line(t, 'note').getByText('“heard”').waitFor();
    await line(t, 'length').getByText('larger').waitFor();
    assert.equal(await line(t, 'family').count(), 0);
    await t.page.keyboard.press('Escape');
    await dialog(t).waitFor({ state: 'hidden' });
  }
  // Nothing selected, and nothing that passes.
  await t.openLink(`${map}`);
  await t.untilShown();
  await t.page.keyboard.press('s');
  await dialog(t).getByRole('tab', { name: 'Selection' }).click();
  await dialog(t).getByText('Nothing is selected').waitFor();
  assert.equal(await dialog(t).getByLabel('New table').count(), 0);
  await t.openLink(`${map}&filter=length:gt:1000`);
  await t.untilShown();
  await t.page.getByRole('button', { name: 'Name these rows …' }).click();
  await dialog(t).getByText('No row passes the filters').waitFor();
  assert.equal(await dialog(t).getByLabel('Name of the selected rows').count(), 0);
}), raster);

scenario('names are saved with no network, and clusters\' names with them', (t) => withLake(t, async (truth) => {
  const [, near, far] = truth.islands;
  await t.openLink(`${map}&filter=${island}&name=cluster:1:crows&name=cluster:0:garden%20birds`);
  await t.untilShown();
  await t.untilSelected(far);
  await t.offline();
  await t.page.keyboard.press('s');
  const input = dialog(t).getByLabel('Name of the selected rows');
  await input.fill('quarry');
  await input.press('Enter');
  // Clusters that have names give them to their rows.
  assert.equal(await dialog(t).getByLabel('All other rows').inputValue(), 'cluster');
  await dialog(t).getByLabel('Column of names').fill('family');
  await dialog(t).getByRole('button', { name: 'Save as a table' }).click();
  await dialog(t).getByText('there is a column "family"').waitFor();
  await dialog(t).getByLabel('Column of names').fill('kind');
  await dialog(t).getByRole('button', { name: 'Save as a table' }).click();
  await dialog(t).locator('.embed-job.done').getByRole('button', { name: 'Open' }).click();
  await dialog(t).waitFor({ state: 'hidden' });
  await t.untilShown();
  await t.untilSelected(6000);
  assert.match(t.page.url(), /table=file(:|%3A)birds-named\.arrows/);
  const legend = t.page.getByRole('list', { name: 'Colours of kind' });
  for (const name of ['quarry', 'crows', 'garden birds']) await legend.getByText(name).waitFor();
  await t.shot('naming-here');
  await legend.getByText('quarry').click();
  await t.untilSelected(far);
  await legend.getByText('quarry').click();
  await legend.getByText('crows').click();
  await t.untilSelected(near);
  await t.online();
}), raster);

// The files as pyarrow reads them, beside the rows that they are to have.
const COMPARE = `
import json, sys
import pyarrow as pa, pyarrow.compute as pc, pyarrow.csv, pyarrow.feather, pyarrow.parquet as pq
folder, *files = sys.argv[1:]
columns = ["family", "length", "map_1", "emb", "cluster"]
wanted = pq.read_table(folder + "/birds.parquet", columns=columns)
wanted = wanted.filter(pc.and_(pc.greater(wanted["length"], 30), pc.equal(wanted["family"], "Corvidae")))
wanted = wanted.sort_by([("length", "descending")])
plain = lambda table: [pc.cast(column, pa.string()) if pa.types.is_dictionary(column.type) else column for column in table.itercolumns()]
for file in files:
    if file.endswith(".csv"):
        found = pyarrow.csv.read_csv(file)
        assert found.column_names == columns, found.column_names
        assert found["length"].to_pylist() == wanted["length"].to_pylist()
        vectors = pa.array([json.loads(text) for text in found["emb"].to_pylist()], wanted["emb"].type)
        assert vectors.to_pylist() == wanted["emb"].to_pylist()
        continue
    found = pyarrow.feather.read_table(file) if file.endswith(".arrow") else pq.read_table(file)
    assert found.column_names == columns, found.column_names
    for name, own, other in zip(columns, plain(found), plain(wanted)):
        assert own.to_pylist() == other.to_pylist(), (file, name)
print(len(wanted))
`;

scenario('the rows that are selected are saved as files, by the companion and by the browser alone', (t) => withLake(t, async (_, lake) => {
  const link = 'link=1&table=birds&columns=family,length,map_1,emb,cluster&view=1:scatter:map_1:length&filter=length:gt:30&filter=family:eq:Corvidae&sort=-length';
  await t.openLink(link);
  await t.untilShown();
  const rows = await t.countOf('birds', [{ column: 'length', op: 'gt', value: 30 }, { column: 'family', op: 'eq', value: 'Corvidae' }]);
  await t.untilSelected(rows);
  const files = mkdtempSync(join(tmpdir(), 'limn-saved-'));
  try {
    for (const who of ['companion', 'browser']) {
      if (who === 'browser') await t.offline();
      const saved = [];
      for (const [form, ending] of [['CSV', 'csv'], ['Parquet', 'parquet'], ['Arrow', 'arrow']]) {
        await t.page.getByRole('button', { name: 'Copy the selected cells, or save rows' }).click();
        const item = t.page.getByRole('button', { name: `Save rows as ${form}`, exact: true });
        if (form === 'CSV') await item.waitFor().then(() => t.shot(`saving-menu-${who}`));
        const [download] = await Promise.all([t.page.waitForEvent('download'), item.click()]);
        assert.match(download.suggestedFilename(), new RegExp(`^birds.*\\.${ending}$`));
        const path = join(files, `${who}.${ending}`);
        await download.saveAs(path);
        saved.push(path);
      }
      const compared = execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', COMPARE, lake, ...saved], { encoding: 'utf8' });
      assert.equal(Number(compared), rows);
    }
    await t.online();
  } finally {
    rmSync(files, { recursive: true, force: true });
  }
}), raster);
