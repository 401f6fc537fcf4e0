// Pictures of rows: in cells as bytes, in the lake by paths, on the web by addresses; as a
// gallery, under the pointer, in the record and beside groups.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };

// Handwritten digits as pictures of 8 × 8 pixels, and their first two principal components.
const MAKE = `
import sys, struct, zlib, os
import h5py, numpy as np, pyarrow as pa, pyarrow.parquet as pq
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
folder = sys.argv[1]
digits = load_digits()
n = len(digits.target)
def png(values):
    gray = (255 - values.reshape(8, 8) * 15.9).astype("u1")
    rows = b"".join(b"\\0" + row.tobytes() for row in gray)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
pictures = [png(values) for values in digits.data]
plane = PCA(2, random_state=0).fit_transform(digits.data)
names = "nought one two three four five six seven eight nine".split()
pq.write_table(pa.table({
    "digit": [names[digit] for digit in digits.target],
    "x": plane[:, 0], "y": plane[:, 1],
    "distance": np.abs(plane[:, 0]),
    "emb": pa.FixedSizeListArray.from_arrays(pa.array(digits.data.astype("f4").ravel()), 64),
    "image": [picture if at != 3 else None for at, picture in enumerate(pictures)],
}), folder + "/digits.parquet")
os.mkdir(folder + "/scans")
for at in range(60):
    open(f"{folder}/scans/{at}.png", "wb").write(pictures[at])
with h5py.File(folder + "/scans.h5", "w") as file:
    file["pixels"] = (255 - digits.data[:60].reshape(-1, 8, 8) * 15.9).astype("u1")
    for at in range(60):
        file[f"files/{at}"] = np.frombuffer(pictures[at], "u1")
open(folder + "/stored.csv", "w").write("name,scan,file\\n" + "".join(
    f"{at},scans.h5#pixels[{at}],scans.h5#files/{at if at != 5 else 'gone'}\\n" for at in range(60)))
web = sys.argv[2]
open(folder + "/paths.csv", "w").write("name,file,image_url\\n" + "".join(
    f"{names[digits.target[at]]} {at},{'scans' if at != 5 else 'gone'}/{at}.png,{web}/{'gone' if at == 5 else 'scan'}/{at}\\n" for at in range(60)))
`;

async function withLake(t, run) {
  const lake = mkdtempSync(join(tmpdir(), 'limn-gallery-'));
  const web = http.createServer((request, response) => {
    const at = request.url.match(/^\/scan\/(\d+)$/)?.[1];
    response.writeHead(at ? 200 : 404, { 'Content-Type': 'image/png' });
    response.end(at && readFileSync(join(lake, 'scans', `${at}.png`)));
  });
  await new Promise((listening) => web.listen(0, '127.0.0.1', listening));
  try {
    const address = `http://127.0.0.1:${web.address().port}`;
    execFileSync(process.env.LIMN_PYTHON ?? 'python3', ['-c', MAKE, lake, address]);
    await t.serve([lake], ['--image-host', '127.0.0.1']);
    await run(lake);
  } finally {
    web.close();
    rmSync(lake, { recursive: true, force: true });
  }
}

const gallery = (t) => t.page.getByRole('listbox', { name: 'Pictures of the selected rows' });
const pictures = (t) => gallery(t).locator('img');

// Pictures that are here, of those that are on screen.
async function untilPictures(t, least) {
  const here = (images) => images.filter((image) => image.complete && image.naturalWidth > 0).length;
  await t.until(`${least} pictures`, async () => (await pictures(t).evaluateAll(here)) >= least);
}

scenario('pictures in cells are a gallery, and stand by what is pointed at', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=digits&view=1:scatter:x:y:digit');
  await t.untilShown();
  await t.page.keyboard.press('i');
  await untilPictures(t, 8);
  // The row without one says so.
  await gallery(t).getByRole('option').nth(3).getByText('none').waitFor();
  await t.shotsOfAll('gallery');
  // Whatever its columns are called, a row's picture goes along with its filters.
  await t.page.locator('.filter-toggle', { hasText: 'digit' }).click();
  await t.page.locator('.filter').getByRole('option', { name: /^seven/ }).click();
  await t.untilSelected(await t.countOf('digits', [{ column: 'digit', op: 'eq', value: 'seven' }]));
  await t.until('sevens alone', async () => {
    const words = await gallery(t).locator('figcaption span:first-child').allInnerTexts();
    return words.length > 5 && words.every((word) => word === 'seven');
  });
  // By keys: to the next, whose record opens and follows.
  await gallery(t).focus();
  await t.page.keyboard.press('ArrowRight');
  await t.page.keyboard.press('Enter');
  const record = t.page.getByRole('complementary', { name: 'Record' });
  await record.locator('img').waitFor();
  const title = await record.getByRole('heading').innerText();
  await t.page.keyboard.press('ArrowRight');
  await t.until('the next one', async () => (await record.getByRole('heading').innerText()) !== title);
  await t.shot('gallery-record');
  await t.page.keyboard.press('Escape');
  await record.waitFor({ state: 'detached' });
  // To the last one and back to the rows.
  await t.page.keyboard.press('End');
  const n = await t.countOf('digits', [{ column: 'digit', op: 'eq', value: 'seven' }]);
  await t.page.locator(`#cell-${n - 1}-0.active`).waitFor();
  await untilPictures(t, 1);
  await t.page.keyboard.press('i');
  await t.page.getByRole('grid', { name: 'Rows' }).waitFor();
}), raster);

scenario('pictures stand at their points', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=digits&view=1:scatter:x:y:digit');
  await t.untilShown();
  const atlas = t.page.locator('.atlas img');
  assert.equal(await atlas.count(), 0);
  await t.page.getByRole('button', { name: 'How points are drawn' }).click();
  await t.page.getByRole('checkbox', { name: 'Pictures' }).check();
  await t.page.keyboard.press('Escape');
  const here = (images) => images.filter((image) => image.complete && image.naturalWidth > 0).map((image) => {
    const { left, top } = image.getBoundingClientRect();
    return [left, top];
  });
  await t.until('pictures at points', async () => (await atlas.evaluateAll(here)).length > 20);
  await t.untilStill();
  // None lies over another.
  const places = await atlas.evaluateAll(here);
  const over = places.flatMap(([x, y], at) => places.slice(at + 1).filter(([u, v]) => Math.abs(x - u) < 47 && Math.abs(y - v) < 47));
  assert.deepEqual(over, []);
  await t.shotsOfAll('atlas');
  // Zoomed in there are others; of what is filtered out there are none.
  const plot = t.page.locator('.plot').first();
  const box = await plot.boundingBox();
  await t.page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await t.page.mouse.wheel(0, -900);
  await t.untilStill();
  await t.shot('atlas-zoomed');
  assert.ok((await atlas.count()) > 5);
}), raster);

scenario('a point shows its picture, and so do typical rows of a group', (t) => withLake(t, async () => {
  await t.openLink('link=1&table=digits&view=1:scatter:x:y:digit');
  await t.untilShown();
  const plot = await t.page.locator('canvas').first().boundingBox();
  await t.until('a picture under the pointer', async () => {
    await t.page.mouse.move(plot.x + plot.width * (0.3 + Math.random() * 0.4), plot.y + plot.height * (0.3 + Math.random() * 0.4));
    await new Promise((later) => setTimeout(later, 250));
    return t.page.locator('.tooltip img').isVisible();
  });
  await t.shot('hover-picture');
  await t.page.mouse.down();
  await t.page.mouse.up();
  await t.page.locator('.pin-panel img').waitFor();
  await t.shot('pinned-picture');
  // The rows that are nearest to it, by the companion, with their pictures; each may be next.
  const panel = t.page.locator('.pin-panel');
  const row = Number((await panel.locator('h2').innerText()).replace(/[^0-9]/g, ''));
  await panel.getByRole('button', { name: 'Similar rows' }).click();
  await panel.getByRole('heading', { name: `Like row ${row.toLocaleString('en')}` }).waitFor();
  const answer = await (await fetch(`http://127.0.0.1:${t.wire.upstreamPort}/api/tables/digits/neighbours?row=${row}&count=24`)).json();
  const shown = panel.locator('.similar li span');
  await t.until('24 rows', async () => (await shown.count()) === 24);
  const rows = (await shown.allInnerTexts()).map((text) => Number(text.replace(/[^0-9]/g, '')));
  assert.deepEqual(rows, answer.neighbours.map((found) => found.row));
  await t.until('their pictures', async () => {
    const widths = await panel.locator('.similar li img').evaluateAll((images) => images.map((image) => image.naturalWidth));
    return widths.filter((width) => width === 8).length >= 8;
  });
  await t.shotsOfAll('similar-rows');
  await panel.locator('.similar li button').first().click();
  await panel.locator('h2').getByText(`Row ${rows[0].toLocaleString('en')}`, { exact: true }).waitFor();
  await panel.getByRole('heading', { name: `Like row ${row.toLocaleString('en')}` }).waitFor();
}), raster);

scenario('pictures by paths and addresses come by the companion', (t) => withLake(t, async () => {
  t.allow(/403|404|502|Mixed Content/);
  await t.openLink('link=1&table=paths');
  await t.untilShown();
  await t.page.keyboard.press('i');
  await untilPictures(t, 8);
  // The one that is gone says why.
  const lost = gallery(t).getByRole('option').nth(5).locator('.no-picture');
  await lost.waitFor();
  assert.match(await lost.getAttribute('title'), /status 404/);
  await t.shot('gallery-lost');
  await t.page.keyboard.press('i');
  // In the rows: from the folder beside the table.
  const row = t.page.getByRole('row').nth(1);
  await t.until('both pictures of a row', async () => {
    const widths = await row.locator('img').evaluateAll((images) => images.map((image) => image.naturalWidth));
    return widths.length === 2 && widths.every((width) => width === 8);
  });
  await t.page.getByRole('textbox', { name: 'Go to row' }).fill('5');
  await t.page.keyboard.press('Enter');
  const gone = t.page.locator('#cell-5-1 .no-picture');
  assert.match(await gone.getAttribute('title'), /there is no picture "gone\/5\.png" beside table/);
  assert.match(await gone.innerText(), /gone\/5\.png/);
}), raster);

scenario('pictures in an HDF5 file come by the companion', (t) => withLake(t, async () => {
  t.allow(/404/);
  await t.openLink('link=1&table=stored');
  await t.untilShown();
  await t.page.keyboard.press('i');
  await untilPictures(t, 8);
  await t.shot('gallery-stored');
  await t.page.keyboard.press('i');
  const row = t.page.getByRole('row').nth(1);
  await t.until('both pictures of a row', async () => {
    const widths = await row.locator('img').evaluateAll((images) => images.map((image) => image.naturalWidth));
    return widths.length === 2 && widths.every((width) => width === 8);
  });
  await t.page.getByRole('textbox', { name: 'Go to row' }).fill('5');
  await t.page.keyboard.press('Enter');
  const gone = t.page.locator('#cell-5-2 .no-picture');
  assert.match(await gone.getAttribute('title'), /there is no dataset "files\/gone"/);
}), raster);

scenario('pictures in a file are shown without any companion', (t) => withLake(t, async (lake) => {
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
    await t.page.keyboard.press('i');
    await untilPictures(t, 8);
  } finally {
    await t.page.goto('about:blank');
    await host.stop();
  }
}), raster);

scenario('pictures that were seen are shown without a network', (t) => withLake(t, async () => {
  t.allow(/502|ERR_/);
  await t.openLink('link=1&table=paths');
  await t.untilShown();
  await t.offlineReady();
  // By the service worker from here on.
  await t.reload();
  await t.untilShown();
  await t.page.keyboard.press('i');
  await untilPictures(t, 8);
  await t.until('pictures are kept', () => t.page.evaluate(() => caches.has('limn-pictures')));
  await t.offline();
  await t.reload();
  await t.untilShown();
  await untilPictures(t, 8);
  await t.shot('gallery-offline');
  // What is thrown away is gone.
  await t.page.getByRole('button', { name: 'What is kept offline' }).click();
  const dialog = t.page.getByRole('dialog', { name: 'Kept in this browser' });
  await dialog.getByRole('button', { name: /^Delete all/ }).click();
  await t.until('no picture is kept', () => t.page.evaluate(async () => !(await caches.has('limn-pictures'))));
}), raster);
