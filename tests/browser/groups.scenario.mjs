// What groups of rows are made of: the dialog of groups, online, filtered, and with no network.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

// Birds and beetles in three clusters that mostly are what the families are, and what
// scikit-learn says of the two.
const MAKE = `
import json, sys
import numpy as np, pyarrow as pa, pyarrow.parquet as pq
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score
random = np.random.default_rng(3)
kinds = [
    ("Animalia", "Chordata", "Aves", "Fringillidae", "Fringilla coelebs", 15.0),
    ("Animalia", "Chordata", "Aves", "Fringillidae", "Carduelis carduelis", 13.0),
    ("Animalia", "Chordata", "Aves", "Corvidae", "Corvus corax", 60.0),
    ("Animalia", "Arthropoda", "Insecta", "Carabidae", "Carabus auratus", 2.5),
    ("Animalia", "Arthropoda", "Insecta", None, "Cicindela hybrida", 1.5),
]
of = random.choice(5, size=6000, p=[.3, .2, .2, .25, .05])
cluster = np.array([0, 0, 1, 2, 2])[of]
astray = random.random(6000) < .1
cluster[astray] = random.integers(3, size=astray.sum())
columns = list(zip(*[kinds[i] for i in of]))
table = {
    "id": [f"s{i:05}" for i in range(6000)],
    "cluster": [str(c) for c in cluster],
    "far": random.uniform(0, 1000, size=6000),
    "length": np.array(columns[5]) * random.uniform(.9, 1.1, size=6000),
}
table |= {name: list(columns[i]) for i, name in enumerate(["kingdom", "phylum", "class", "family", "species"])}
pq.write_table(pa.table(table), sys.argv[1] + "/specimens.parquet")
subjects = [["turbo", "engine", "gear"], ["lake", "river", "water"], ["finch", "robin", "nest"]]
common = ["the", "with", "new", "old", "near", "found", "about", "great", "small", "first"]
group = random.integers(3, size=4000)
titles = []
for i, g in enumerate(group):
    own = [word for word in subjects[g] if random.random() < [.8, .5, .3][subjects[g].index(word)]]
    rest = list(random.choice(common, size=5, replace=False))
    titles.append(" ".join(random.permutation(own + rest)).capitalize() + f", no. {i}.")
titles[7] = None
pq.write_table(pa.table({"topic": [str(g) for g in group], "title": titles}), sys.argv[1] + "/articles.parquet")
pq.write_table(pa.table({"x": [0.5, 1.5]}), sys.argv[1] + "/numbers.parquet")
known = [(f, c) for f, c in zip(columns[3], cluster) if f is not None]
family, own = zip(*known)
print(json.dumps({
    "rand": adjusted_rand_score(family, own),
    "mutual": normalized_mutual_info_score(family, own),
    "rows": len(known),
    "turbo": float(np.mean(["turbo" in (t or "").lower() for t, g in zip(titles, group) if g == 0])),
    "clusters": [int((cluster == c).sum()) for c in range(3)],
    "corvidae": int(sum(f == "Corvidae" for f in columns[3])),
    "insecta": int(sum(c == "Insecta" for c in columns[2])),
}))
`;

async function withLake(t, run) {
  const lake = mkdtempSync(join(tmpdir(), 'limn-groups-'));
  try {
    const truth = execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, lake], { encoding: 'utf8' });
    await t.serve([lake]);
    await run(JSON.parse(truth));
  } finally {
    rmSync(lake, { recursive: true, force: true });
  }
}

const dialog = (t) => t.page.getByRole('dialog', { name: 'Groups' });
const tab = (t, name) => dialog(t).getByRole('tab', { name }).click();
const row = (t, name) => dialog(t).locator('tbody tr').filter({ has: t.page.getByRole('button', { name, exact: true }) });
const words = (number) => number.toLocaleString('en');

async function openDialog(t) {
  await t.page.keyboard.press('s');
  await dialog(t).getByRole('tablist').waitFor();
}

scenario('groups say what sets them apart, and how they agree with a column', (t) => withLake(t, async (truth) => {
  await t.open({ table: 'specimens' });
  await t.untilShown();
  await t.page.getByRole('button', { name: 'Groups', exact: true }).click();
  // What is called a cluster is meant.
  assert.equal(await dialog(t).getByLabel('Groups of').inputValue(), 'cluster');
  await row(t, '1').locator('.groups-trait').first().waitFor();
  const sizes = await dialog(t).locator('tbody td.number').allTextContents();
  assert.deepEqual(sizes, truth.clusters.map(words));
  await dialog(t).getByText('Corvus corax').waitFor();
  const corvids = await row(t, '1').innerText();
  assert.match(corvids, /family\s+Corvidae/);
  assert.match(corvids, /length\s+much larger/);
  const beetles = await row(t, '2').innerText();
  assert.match(beetles, /class\s+Insecta/);
  // What every row has sets nobody apart.
  assert.doesNotMatch(await dialog(t).innerText(), /Animalia/);
  await t.shotsOfAll('groups-summary');

  // A click shows one group alone; the others stay to be chosen.
  await row(t, '1').getByRole('button').click();
  await t.untilSelected(truth.clusters[1]);
  await t.until('one group is chosen', async () => (await dialog(t).locator('tbody tr.chosen').count()) === 1);
  assert.deepEqual(await dialog(t).locator('tbody td.number').allTextContents(), truth.clusters.map(words));
  await row(t, '1').getByRole('button').click();
  await t.untilSelected(6000);

  await tab(t, 'Beside a column');
  await dialog(t).getByLabel('Column').selectOption('family');
  const figure = (name) => dialog(t).locator('.groups-figures div').filter({ hasText: name }).locator('dd');
  await figure('Rows with both').getByText(words(truth.rows)).waitFor();
  assert.equal(Number(await figure('Adjusted Rand index').textContent()).toFixed(3), truth.rand.toFixed(3));
  assert.equal(Number(await figure('Mutual information').textContent()).toFixed(3), truth.mutual.toFixed(3));
  assert.equal(await dialog(t).locator('.groups-heat tbody tr').count(), 3);
  await t.shotsOfAll('groups-beside');
}));

scenario('groups have names, which a link carries and undo takes back', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=specimens&columns=cluster,family,length&view=1:bars:cluster:12&view=2:scatter:length:length:cluster');
  await t.untilShown();
  await openDialog(t);
  await dialog(t).getByLabel('Groups of').selectOption('cluster');
  // What sets a group apart is proposed, and taken for all that have no name yet.
  const name = (value) => dialog(t).getByLabel(`Name of ${value}`);
  await t.until('a name is proposed', async () => /Corvidae/.test(await name('1').getAttribute('placeholder')));
  await name('0').fill('finches: & more');
  await name('0').press('Enter');
  await dialog(t).getByRole('button', { name: 'Name all by what sets them apart' }).click();
  assert.match(await name('1').inputValue(), /Corvidae/);
  assert.equal(await name('0').inputValue(), 'finches: & more');
  await t.shotsOfAll('groups-named');
  await t.page.keyboard.press('Escape');
  const legend = t.page.getByRole('list', { name: 'Colours of cluster' });
  await legend.getByText('finches: & more').click();
  // Filters are of values and say names.
  await t.untilSelected(await t.countOf('specimens', [{ column: 'cluster', op: 'eq', value: '0' }]));
  await t.page.locator('.chip', { hasText: 'finches: & more' }).waitFor();
  await t.page.locator('.bar-row', { hasText: 'Corvidae' }).waitFor();
  const url = t.page.url();
  await t.page.goto('about:blank');
  await t.page.goto(url);
  await legend.getByText('finches: & more').waitFor();
  await t.shot('groups-named-page');
  // Undone one after the other: the filter is older than the page, names are part of the link.
  await openDialog(t);
  await dialog(t).getByRole('button', { name: 'Take names away' }).click();
  await t.page.keyboard.press('Escape');
  await legend.getByText('finches').waitFor({ state: 'detached' });
  await t.page.keyboard.press('Control+z');
  await legend.getByText('finches: & more').waitFor();
}), raster);

scenario('columns that divide each other are a tree, which filters', (t) => withLake(t, async (truth) => {
  await t.open({ table: 'specimens' });
  await t.untilShown();
  await openDialog(t);
  await tab(t, 'Tree');
  const text = dialog(t).locator('.groups-tree');
  await text.waitFor();
  const drawn = await text.textContent();
  assert.match(drawn, /^└── Animalia \(6000\)\n {4}├── Arthropoda/);
  assert.match(drawn, /└── Unknown \(\d+\)\n.*└── Cicindela hybrida/);
  assert.match(drawn, new RegExp(`Corvidae \\(${truth.corvidae}\\)`));
  await t.shotsOfAll('groups-tree');
  // Fewer levels, and only large branches.
  await dialog(t).getByLabel('Depth').fill('3');
  await dialog(t).getByLabel('Rows at least').fill('2000');
  await dialog(t).getByLabel('Rows at least').press('Tab');
  await t.until('small branches are gone', async () => !/Insecta|family|Corvidae/.test(await text.textContent()));
  assert.match(await text.textContent(), /Aves/);
  await dialog(t).getByLabel('Rows at least').fill('1');
  await dialog(t).getByLabel('Rows at least').press('Tab');

  await dialog(t).getByRole('button', { name: /^Insecta:/ }).click();
  await t.untilSelected(truth.insecta);
  await t.until('the path is chosen', async () => (await dialog(t).locator('.groups-slab.chosen').count()) >= 3);
  // The tree itself stays whole.
  assert.match(await text.textContent(), /Aves/);
  await dialog(t).getByRole('button', { name: /^Insecta:/ }).click();
  await t.untilSelected(6000);
  // Of other columns, one by one.
  await dialog(t).getByRole('button', { name: 'Leave out kingdom' }).click();
  await t.until('it begins with the phylum', async () => /^├── Arthropoda/.test(await text.textContent()));
  await dialog(t).getByLabel('Add a level').selectOption('cluster');
  await t.page.keyboard.press('Escape');
  await dialog(t).waitFor({ state: 'hidden' });
}), raster);

scenario('groups are counted with no network, and of tables too large for the browser', (t) => withLake(t, async (truth) => {
  const sizes = () => dialog(t).locator('tbody td.number').allTextContents();
  await t.openLink('link=1&table=specimens&columns=cluster,length,family');
  await t.untilShown();
  await t.untilSelected(6000);
  await t.offline();
  await openDialog(t);
  await row(t, '1').getByText('Corvidae').waitFor();
  assert.deepEqual(await sizes(), truth.clusters.map(words));
  await t.page.keyboard.press('Escape');
  await t.online();
  // Nothing of it fits: the companion counts.
  await t.openLink('link=1&table=specimens&columns=cluster,length&view=1:bars:cluster:12&budget=1');
  await t.untilShown();
  await openDialog(t);
  await row(t, '1').getByText('Corvidae').waitFor();
  assert.deepEqual(await sizes(), truth.clusters.map(words));
  await t.page.keyboard.press('Escape');
  // A table of numbers alone has none.
  await t.open({ table: 'numbers' });
  await t.untilShown();
  assert.equal(await t.page.getByRole('button', { name: 'Groups', exact: true }).count(), 0);
  await t.page.keyboard.press('s');
  await dialog(t).getByText('Nothing is selected').waitFor();
}), raster);

scenario('words of texts set groups apart, and name them', (t) => withLake(t, async (truth) => {
  for (const budget of ['', '&budget=1']) {
    await t.openLink(`link=1&table=articles&columns=topic,title&view=1:bars:topic:12${budget}`);
    await t.untilShown();
    await openDialog(t);
    await row(t, '0').getByText('“turbo” “engine” “gear”').waitFor();
    await row(t, '1').getByText('“lake” “river” “water”').waitFor();
    const hint = await row(t, '0').locator('.groups-trait').first().getAttribute('title');
    assert.ok(hint.startsWith(`“turbo”: in the texts of ${Math.round(truth.turbo * 100)} % here`) || hint.includes(`${(truth.turbo * 100).toFixed(0)}`), hint);
    assert.equal(await dialog(t).getByLabel('Name of 2').getAttribute('placeholder'), 'finch, robin');
    // What all of them say sets nobody apart.
    assert.doesNotMatch(await dialog(t).innerText(), /“(the|with|new|old)”/);
    if (!budget) await t.shotsOfAll('groups-terms');
    await t.page.keyboard.press('Escape');
  }
}), raster);

scenario('rows are found by words, and their points gone to', (t) => withLake(t, async (truth) => {
  const found = t.page.getByRole('dialog', { name: 'Find rows' });
  const input = () => found.getByRole('searchbox');
  for (const budget of ['', '&budget=1']) {
    await t.openLink(`link=1&table=specimens&columns=length,species,family,id,far&view=1:scatter:length:far${budget}`);
    await t.untilShown();
    await t.page.keyboard.press('w');
    await input().waitFor();
    assert.ok(await input().evaluate((element) => element === document.activeElement));
    await input().fill('no such words');
    await found.getByText('No row that passes the filters has all of these words.').waitFor();
    await input().fill('S003 corv');
    const expected = await t.ask({
      table: 'specimens', columns: ['_row', 'id', 'length', 'far'],
      filters: [{ column: 'id', op: 'contains', value: 's003', case_sensitive: false }, { column: 'family', op: 'contains', value: 'corv', case_sensitive: false }],
    });
    assert.ok(expected.length > 0);
    await found.getByText(`${expected.length} rows`).waitFor();
    assert.equal(await found.locator('.found li').count(), expected.length);
    assert.deepEqual(await found.locator('.found li').first().locator('mark').allTextContents(), ['s003', 'Corv']);
    if (!budget) await t.shotsOfAll('finding');
    // Enter goes to the first: it is pinned.
    await input().press('Enter');
    await found.waitFor({ state: 'hidden' });
    await t.page.getByRole('complementary', { name: `Row ${words(Number(expected[0]._row))}`, exact: true }).waitFor();
    // A view that is closer moves to the point, and shows as much as before.
    await t.openLink(`link=1&table=specimens&columns=length,species,family,id,far&view=1:scatter:length:far@0:1:0:1${budget}`);
    await t.untilShown();
    await t.page.keyboard.press('w');
    await input().fill(`"${expected[0].id}"`);
    await found.locator('.found li button').first().click();
    await t.until('the view has moved', async () => {
      const [left, right, low, high] = t.parameter('view').split('@')[1].split(':').map(Number);
      const [x, y] = [Number(expected[0].length), Number(expected[0].far)];
      return left < x && x < right && low < y && y < high && Math.abs(right - left - 1) < 1e-6;
    });
  }
  // Of many the first are told.
  await t.page.keyboard.press('Escape');
  await t.page.keyboard.press('w');
  await input().fill('corv');
  await found.getByText('The first 100 rows').waitFor();
  assert.ok(truth.corvidae > 100);
}), raster);
