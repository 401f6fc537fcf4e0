// What `limn export` writes: a page of a table, on any static host, without a companion.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };

// Handwritten digits with their pictures in an HDF5 file.
const MAKE = `
import sys
import h5py, numpy as np, pyarrow as pa, pyarrow.parquet as pq
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
folder = sys.argv[1]
digits = load_digits()
plane = PCA(2, random_state=0).fit_transform(digits.data)
names = "nought one two three four five six seven eight nine".split()
with h5py.File(folder + "/scans.h5", "w") as file:
    file["pixels"] = np.kron((255 - digits.data.reshape(-1, 8, 8) * 15.9).astype("u1"), np.ones((8, 8), "u1"))
pq.write_table(pa.table({
    "digit": [names[digit] for digit in digits.target],
    "x": plane[:, 0], "y": plane[:, 1],
    "scan": [f"scans.h5#pixels[{at}]" for at in range(len(plane))],
}), folder + "/digits.parquet")
`;

async function withSite(t, run) {
  const folder = mkdtempSync(join(tmpdir(), 'limn-export-'));
  const host = await new StaticHost().start({});
  try {
    execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, folder]);
    const link = '?link=1&table=digits&columns=digit,x,y&filter=digit:in:three:five&view=1:scatter:x:y:digit&view=2:bars:digit:12';
    const limn = process.env.LIMN_BINARY ?? 'bin/limn';
    const site = join(folder, 'pages/site');
    execFileSync(limn, ['export', '--lake', folder, '--link', link, '--pictures', 'scan', '--out', site]);
    host.folder = join(folder, 'pages');
    // What stands there, rather than what tests say.
    host.config = JSON.parse(readFileSync(join(site, 'config.json'), 'utf8'));
    await run(host);
  } finally {
    await t.page.goto('about:blank');
    await host.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

scenario('an exported page shows its table on any static host, offline too', (t) => withSite(t, async (host) => {
  t.allow(/ERR_|Failed to load/);
  // In a folder, as pages of a bucket are.
  await t.page.goto(`${host.url}/site/index.html?renderer=${t.renderer}`);
  await t.untilShown();
  const of = { three: 183, five: 182 };
  await t.untilSelected(of.three + of.five);
  assert.equal(t.parameter('open'), `${host.url}/site/data/digits.parquet`);
  assert.deepEqual(new URL(t.page.url()).searchParams.getAll('view'), ['1:scatter:x:y:digit', '2:bars:digit:12']);
  assert.equal(await t.page.locator('.notice').count(), 0);
  await t.shotsOfAll('export-page');
  // Filters are the browser's.
  await t.page.getByRole('option', { name: /^five/ }).first().click();
  await t.untilSelected(of.three);
  // Pictures came along.
  await t.page.keyboard.press('i');
  const gallery = t.page.getByRole('listbox', { name: 'Pictures of the selected rows' });
  await t.until('pictures', async () => {
    const widths = await gallery.locator('img').evaluateAll((images) => images.map((image) => image.naturalWidth));
    return widths.length >= 8 && widths.slice(0, 8).every((width) => width === 64);
  });
  await t.shot('export-gallery');
  await t.offlineReady();
  await t.reload();
  await t.untilSelected(of.three);
  // The host is gone; whoever comes by the plain address sees the same.
  await t.offline();
  await t.page.goto(`${host.url}/site/?renderer=${t.renderer}`);
  await t.untilShown();
  await t.untilSelected(of.three + of.five);
}), raster);
