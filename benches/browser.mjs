// Benches in the browser: Limn's own page and worker, then its peers, in the same Chromium
// on the same bytes. Counts are compared before any time is told.
//
//     node benches/browser.mjs BINARY DATA_FOLDER OUT.json
//
// DATA_FOLDER holds d1m, d3m and d5m (tools/generate_table.py). ONLY=W1 runs one part.
import { spawn } from 'node:child_process';
import { createReadStream, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { dirname, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { Wire } from '../tests/browser/wire.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [binary, data, out] = process.argv.slice(2);
const BINS = 25;
const ACTIVE = 'hour';
const VIEWS = [
  { column: 'delay', domain: [-20, 100] },
  { column: 'dist', domain: [0, 3000] },
  { column: 'score', domain: [-4, 4] },
  { column: 'price', domain: [0, 200] },
];
const WINDOWS = Array.from({ length: 40 }, (_, i) => [2 + i * 0.35, 6 + i * 0.35]);
// A canvas of 1000 × 700 pixels that shows this much, with room on all sides.
const SCATTER = { width: 1000, height: 700, viewport: { x: [-14, 14], y: [-14, 14] }, reach: 12 };
const PAGES = [0, 100_000, 200_000, 300_000];
// Stars of thirty corners around the middle, none like the one before.
const LASSOS = Array.from({ length: 8 }, (_, nth) => Array.from({ length: 30 }, (_, corner) => {
  const angle = (corner / 30) * 2 * Math.PI;
  const radius = (corner % 2 ? 2.3 : 4.6) + nth * 0.05;
  return [Math.cos(angle) * radius + nth * 0.1, Math.sin(angle) * radius];
}));
// Places for the pointer: a grid over the canvas, off its lines.
const PROBES = Array.from({ length: 200 }, (_, nth) => [35.3 + (nth % 20) * 48.7, 31.7 + Math.floor(nth / 20) * 66.1]);
const only = (process.env.ONLY || '').split(' ').filter(Boolean);
const wanted = (...names) => only.length === 0 || names.some((name) => only.includes(name));
const FLAGS = ['--no-sandbox', '--no-first-run', '--disable-quic', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-unsafe-swiftshader'];
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };

function serveFolder(folder) {
  const server = createServer((request, response) => {
    const path = join(folder, normalize(new URL(request.url, 'http://x').pathname));
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    createReadStream(path).on('error', () => response.writeHead(404).end()).pipe(response);
  });
  return new Promise((done) => server.listen(0, '127.0.0.1', () => done(server)));
}

function startLimn() {
  const child = spawn(binary, ['serve', '--lake', data, '--listen', '127.0.0.1:0']);
  return new Promise((done, failed) => {
    let text = '';
    const look = (chunk) => {
      text += chunk;
      const address = text.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (address) done({ child, address: address[0] });
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('exit', (code) => failed(new Error(`limn ended with ${code}: ${text}`)));
  });
}

function sameCounts(name, ours, theirs) {
  ours.forEach((step, s) => step.forEach((line, v) => line.forEach((count, k) => {
    if (count !== theirs[s][v][k]) {
      throw new Error(`${name}: step ${s}, ${VIEWS[v].column}, bin ${k}: ${count} against ${theirs[s][v][k]}`);
    }
  })));
}

function workerScript() {
  const dist = join(here, '..', 'dist');
  const boot = readdirSync(dist, { recursive: true }).map(String).find((name) => /^worker-start-[^/]*\.js$/.test(name));
  if (!boot) throw new Error('no worker script in dist/: make build first');
  return boot;
}

// What bundle.mjs counts as the first load: not the reader, not the service worker.
function firstLoad() {
  const dist = join(here, '..', 'dist');
  const sizes = readdirSync(dist, { recursive: true }).map(String)
    .filter((name) => /^(index|boot|style|page|worker).*\.(wasm|js|css|html)$/.test(name))
    .map((name) => {
      const packed = join(dist, `${name}.gz`);
      try { return [name, statSync(packed).size]; } catch { return [name, statSync(join(dist, name)).size]; }
    });
  return { files: sizes, total: sizes.reduce((sum, [, bytes]) => sum + bytes, 0) };
}

async function main() {
  const peers = await serveFolder(here);
  const files = await serveFolder(data);
  const limn = await startLimn();
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const results = { chromium: browser.version(), size: firstLoad(), tables: [] };
  try {
    const script = new URL(workerScript(), `${limn.address}/`).href;
    const inLimn = async (run, work) => {
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      try {
        const page = await context.newPage();
        await page.addInitScript({ path: join(here, 'limn_page.js') });
        await page.goto(`${limn.address}/`);
        const found = await page.evaluate(([run, work]) => window.limnBench[run](work), [run, { script, ...work }]);
        if (found.failures.length > 0) throw new Error(`${run} complained: ${found.failures}`);
        return found;
      } finally {
        await context.close();
      }
    };
    const inPeer = async (run, work) => {
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      try {
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${peers.address().port}/peers.html`);
        await page.waitForFunction('window.peersReady');
        return await page.evaluate(([run, work]) => window[run](work), [run, work]);
      } finally {
        await context.close();
      }
    };
    for (const table of ['d1m', 'd3m', 'd5m']) {
      const url = `http://127.0.0.1:${files.address().port}/_peers/${table}.arrows`;
      const entry = { table };
      if (wanted('W1')) Object.assign(entry, await brushed(table, url, inLimn, inPeer));
      if (wanted('W7', 'wire')) entry.page = await firstPoints(browser, limn.address, table);
      if (wanted('W1', 'W4')) entry.hand = await byHand(browser, limn.address, table);
      if (wanted('W2', 'W3', 'W4', 'W5', 'W6') && table !== 'd3m') entry.explore = await explored(table, url, inLimn, inPeer);
      for (const [side, found] of Object.entries(entry)) {
        if (side !== 'table') console.log(table, side, JSON.stringify(found));
      }
      results.tables.push(entry);
    }
  } finally {
    await browser.close();
    limn.child.kill();
    peers.close();
    files.close();
  }
  writeFileSync(out, JSON.stringify(results, null, 1));
}

// W1. Crossfilter's build alone takes a minute at five million rows.
async function brushed(table, url, inLimn, inPeer) {
  const work = { table, url, views: VIEWS, active: ACTIVE, bins: BINS, windows: WINDOWS };
  const ours = await inLimn('brush', work);
  const sides = { limn: ours };
  if (table !== 'd5m') {
    sides.crossfilter = await inPeer('crossfilterBench', work);
    sameCounts('crossfilter', ours.counts, sides.crossfilter.counts);
  }
  sides.duckdb = await inPeer('duckdbBench', { ...work, windows: WINDOWS.filter((_, i) => i % 4 === 0) });
  sameCounts('duckdb', ours.counts.filter((_, i) => i % 4 === 0), sides.duckdb.counts);
  for (const side of Object.values(sides)) delete side.counts;
  return sides;
}

// W2 to W6: who passes, who is under the pointer, who is in the lasso, in which order; then
// the times.
async function explored(table, url, inLimn, inPeer) {
  const windows = WINDOWS.filter((_, i) => i % 2 === 0);
  const work = { table, url, ...SCATTER, windows, lassos: LASSOS, probes: PROBES, pages: PAGES };
  const limn = await inLimn('explore', work);
  const few = { ...work, windows: windows.slice(0, 6), lassos: LASSOS.slice(0, 2) };
  const duckdb = await inPeer('duckdbExplore', few);
  same('brush', limn.brushed.slice(0, 6), duckdb.brushed);
  same('lasso by SQL', limn.lassoed.slice(0, 2), duckdb.lassoed);
  same('rows in order', limn.rows, duckdb.rows);
  const loop = await inPeer('countInside', work);
  same('lasso', limn.lassoed, loop.counts);
  const kdbush = await inPeer('kdbushBench', work);
  nearestAgree(limn.found, kdbush.found);
  const regl = await inPeer('reglBench', { ...work, frames: table === 'd1m' ? 6 : 2 });
  // It takes coordinates of 32 bits from -1 to 1: a point at the very edge may fall beyond.
  regl.lassoed.forEach((count, nth) => {
    if (Math.abs(count - limn.lassoed[nth]) > limn.lassoed[nth] * 1e-4) {
      throw new Error(`lasso ${nth}: ${limn.lassoed[nth]} against ${count} by regl-scatterplot`);
    }
  });
  for (const side of [limn, duckdb, loop, kdbush, regl]) {
    for (const known of ['brushed', 'lassoed', 'rows', 'found', 'counts']) delete side[known];
  }
  return { limn, duckdb, loop, kdbush, regl };
}

function same(what, ours, theirs) {
  if (JSON.stringify(ours) !== JSON.stringify(theirs)) {
    throw new Error(`${what}: ${JSON.stringify(ours).slice(0, 200)} against ${JSON.stringify(theirs).slice(0, 200)}`);
  }
}

// Distances in pixels; both sides round coordinates to 32 bits on their own ways.
function nearestAgree(ours, theirs) {
  ours.forEach((found, nth) => {
    const [px, py] = PROBES[nth];
    const distance = found ? Math.hypot(found[1] - px, found[2] - py) : null;
    const close = found ? theirs[nth] !== null && Math.abs(distance - theirs[nth]) < 0.01 : theirs[nth] === null;
    if (!close) throw new Error(`nearest to ${PROBES[nth]}: ${found} at ${distance} against ${theirs[nth]}`);
  });
}

// Through the real page, in a fresh profile: address to first points and to all views.
async function firstPoints(browser, address, table) {
  const times = { points: [], views: [], shell: [], wire: 0 };
  for (let run = 0; run < 3; run++) {
    const wire = await new Wire(Number(new URL(address).port)).plugIn();
    const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
    const page = await context.newPage();
    await page.goto(`${wire.url}/?table=${table}`);
    const mark = async (name) => {
      await page.waitForFunction((wanted) => performance.getEntriesByName(wanted).length > 0, name, { timeout: 120000 });
      return page.evaluate((wanted) => performance.getEntriesByName(wanted)[0].startTime, name);
    };
    times.shell.push(await mark('limn:shell'));
    times.points.push(await mark('limn:first-points'));
    times.views.push(await mark('limn:all-views'));
    times.wire = wire.bytesDown;
    await context.close();
    await wire.close();
  }
  const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  return { shell: middle(times.shell), points: middle(times.points), views: middle(times.views), wire: times.wire };
}

// Through the real page, by real input: from a move of the pointer to the frame after the
// one in which the number of selected rows changed, the document's own work included.
async function byHand(browser, address, table) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
  const page = await context.newPage();
  const charts = VIEWS.map(({ column }, nth) => `&view=${nth + 2}:histogram:${column}:${BINS}`).join('');
  await page.goto(`${address}/?link=1&table=${table}&view=1:histogram:${ACTIVE}:${BINS}${charts}&view=9:scatter:x:y`);
  await page.waitForFunction(() => performance.getEntriesByName('limn:all-views').length > 0, null, { timeout: 120000 });
  await page.evaluate(() => {
    const watched = { since: null, millis: [] };
    window.limnHand = watched;
    const begin = (event) => { watched.since ??= event.timeStamp; };
    for (const name of ['pointermove', 'pointerup']) window.addEventListener(name, begin, { capture: true });
    const painted = () => {
      if (watched.since === null) return;
      const since = watched.since;
      watched.since = null;
      requestAnimationFrame(() => setTimeout(() => watched.millis.push(performance.now() - since)));
    };
    const counts = document.querySelector('.counts');
    new MutationObserver(painted).observe(counts, { attributes: true, subtree: true, childList: true, characterData: true });
  });
  const forget = () => page.evaluate(() => { window.limnHand.since = null; });
  // As long as nothing changes there is nothing to wait for: a move within a bin, say.
  const moved = async (x, y) => {
    await forget();
    const before = await page.evaluate(() => window.limnHand.millis.length);
    await page.mouse.move(x, y);
    await page.waitForFunction((seen) => window.limnHand.millis.length > seen, before, { timeout: 400, polling: 5 }).catch(() => {});
  };
  const take = () => page.evaluate(() => window.limnHand.millis.splice(0));
  const surface = await page.getByRole('article', { name: `Histogram of ${ACTIVE}` }).locator('.brush-surface').boundingBox();
  const height = surface.y + surface.height / 2;
  await page.mouse.move(surface.x + surface.width * 0.1, height);
  await page.waitForTimeout(1500);
  await page.mouse.down();
  for (let step = 1; step <= 40; step++) await moved(surface.x + surface.width * (0.1 + step * 0.02), height);
  await page.mouse.up();
  const brush = await take();

  const plot = await page.locator('canvas').first().boundingBox();
  const lasso = [];
  for (const star of LASSOS.slice(0, 4)) {
    const at = ([x, y]) => [plot.x + plot.width / 2 + x * plot.width / 28, plot.y + plot.height / 2 - y * plot.height / 28];
    await page.keyboard.down('Control');
    await page.keyboard.down('Shift');
    await page.mouse.move(...at(star[0]));
    await page.mouse.down();
    for (const corner of star.slice(1)) await page.mouse.move(...at(corner));
    await forget();
    await take();
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await page.keyboard.up('Control');
    await page.waitForFunction(() => window.limnHand.millis.length > 0, null, { timeout: 10000 });
    lasso.push(...(await take()).slice(0, 1));
  }
  await context.close();
  return { brush: spread(brush), lasso: spread(lasso) };
}

function spread(millis) {
  const sorted = [...millis].sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { n: sorted.length, median: at(0.5), p95: at(0.95) };
}

await main();
