// Benches in the browser: Limn's own page and worker, then its peers, in the same Chromium
// on the same bytes. Counts are compared before any time is told.
//
//     node benches/browser.mjs BINARY DATA_FOLDER OUT.json
//
// DATA_FOLDER holds d1m, d3m, d5m and d10m (tools/generate_table.py). ONLY=W1 runs one part,
// ROWS=1000000 one table. Fails where answers are unequal, never for a time.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { atlasByHand, byHand, firstPoints } from './hand.mjs';
import { weighed } from './memory.mjs';
import { firstLoad, packedBytes, serveFolder, startLimn, workerScript } from './serving.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const [binary, data, out] = process.argv.slice(2);
const BINS = 25;
const ACTIVE = 'hour';
const ACTIVE_DOMAIN = [0, 24];
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
// Cells of 512 on a side, over what the scatter shows: two pixels each of a density.
const GRID = { side: 512, ...SCATTER.viewport };
const only = (process.env.ONLY || '').split(' ').filter(Boolean);
const wanted = (...names) => only.length === 0 || names.some((name) => only.includes(name));
const TABLES = ['d1m', 'd3m', 'd5m', 'd10m'].filter((table) => !process.env.ROWS || table === `d${Number(process.env.ROWS) / 1e6}m`);
const FLAGS = ['--no-sandbox', '--no-first-run', '--disable-quic', '--disable-background-networking',
  '--disable-component-update', '--disable-sync', '--enable-unsafe-swiftshader'];
const PAGE = { viewport: { width: 1400, height: 900 } };

function sameCounts(name, ours, theirs) {
  ours.forEach((step, s) => step.forEach((line, v) => line.forEach((count, k) => {
    if (count !== theirs[s][v][k]) {
      throw new Error(`${name}: step ${s}, ${VIEWS[v].column}, bin ${k}: ${count} against ${theirs[s][v][k]}`);
    }
  })));
}

// A page of its own for each run: what one leaves behind weighs on no other.
async function within(browser, address, prepare, run) {
  const context = await browser.newContext(PAGE);
  try {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(`  in the page: ${error.stack ?? error}`));
    await prepare(page);
    await page.goto(address);
    return await run(page);
  } finally {
    await context.close();
  }
}

async function main() {
  const peers = await serveFolder(here);
  const files = await serveFolder(data);
  const limn = await startLimn(binary, data);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const results = { chromium: browser.version(), tables: [] };
  const script = await workerScript(limn.address);
  const sides = {
    browser, address: limn.address, peers: peers.url,
    inLimn: (run, work) => within(
      browser, `${limn.address}/`, (page) => page.addInitScript({ path: join(here, 'limn_page.js') }),
      async (page) => {
        const found = await page.evaluate(([run, work]) => window.limnBench[run](work), [run, { script, ...work }]);
        if (found.failures.length > 0) throw new Error(`${run} complained: ${found.failures}`);
        return found;
      },
    ),
    inPeer: (run, work, bundle = 'peers') => within(browser, `${peers.url}/peers.html?script=${bundle}`, () => {}, async (page) => {
      await page.waitForFunction('window.peersReady');
      const began = Date.now();
      const found = await page.evaluate(([run, work]) => window[run](work), [run, work]);
      console.log(`  ${work ? `${run} of ${work.table}` : bundle}: ${((Date.now() - began) / 1000).toFixed(1)} s`);
      return found;
    }),
  };
  try {
    for (const table of TABLES) {
      const entry = await measured(table, `${files.url}/_peers/${table}.arrows`, sides);
      if (wanted('memory')) entry.memory = await weighed(browser, limn.address, table, join(data, '_peers', `${table}.arrows`));
      for (const [side, found] of Object.entries(entry)) {
        if (side !== 'table') console.log(table, side, JSON.stringify(found));
      }
      results.tables.push(entry);
    }
    if (wanted('W10')) results.boot = await booted(sides);
    if (wanted('size')) results.size = await sizes(sides);
  } finally {
    await browser.close();
    limn.stop();
    peers.close();
    files.close();
  }
  writeFileSync(out, JSON.stringify(results, null, 1));
}

async function measured(table, url, sides) {
  const entry = { table };
  const isMiddle = table === 'd3m';
  // Points alone: engines that count and sort take minutes there, or do not fit.
  const isLarge = table === 'd10m';
  if (wanted('W1') && !isLarge) Object.assign(entry, await brushed(table, url, sides));
  if (wanted('W7', 'wire')) {
    entry.page = await firstPoints(sides.browser, sides.address, table);
    if (wanted('W7') && !isMiddle) entry.atlasPage = await unlessFull('embedding-atlas', sides.inPeer('atlasPage', { table, url }, 'atlas'));
  }
  if (wanted('W1', 'W3', 'W4') && !isMiddle) {
    const work = { table, url, active: ACTIVE, views: VIEWS, bins: BINS, lassos: LASSOS.slice(0, 4), ...SCATTER };
    entry.hand = await byHand(sides.browser, sides.address, work);
    // A frame of its own takes seconds there: one table tells enough.
    if (wanted('W3', 'W4') && table === 'd1m') {
      entry.atlasHand = await atlasByHand(sides.browser, sides.peers, work);
      // The outline that it made of the pointer's way is its own.
      const { count, outline } = entry.atlasHand;
      const { counts: [inside] } = await sides.inPeer('countInside', { table, url, lassos: [outline] });
      if (Math.abs(count - inside) > 3) throw new Error(`embedding-atlas: ${count} in a lasso of ${inside}`);
    }
  }
  if (wanted('W2', 'W3', 'W4', 'W5', 'W6') && !isMiddle) entry.explore = await explored(table, url, sides);
  if (wanted('W8') && !isMiddle && !isLarge) entry.grid = await gridded(table, url, sides);
  return entry;
}

// A peer whose memory does not do has no figure, and that is no fault here.
async function unlessFull(side, running) {
  try {
    return await running;
  } catch (error) {
    if (!/bad_alloc|out of memory|allocation failed|invalid (typed )?array length|crashed/i.test(String(error))) throw error;
    console.log(`  ${side} runs out of memory`);
    return undefined;
  }
}

// W1. Crossfilter's build alone takes a minute at five million rows.
async function brushed(table, url, { inLimn, inPeer }) {
  const work = { table, url, views: VIEWS, active: ACTIVE, domain: ACTIVE_DOMAIN, bins: BINS, windows: WINDOWS };
  const every = (n) => WINDOWS.filter((_, i) => i % n === 0);
  const ours = await inLimn('brush', work);
  // The reference of all: what the others count is compared with it, as ours is.
  const duckdb = await inPeer('duckdbBench', { ...work, windows: every(4) });
  const reference = ours.counts;
  sameCounts('duckdb', reference.filter((_, i) => i % 4 === 0), duckdb.counts);
  const sides = { limn: ours, duckdb, mosaic: await inPeer('mosaicBench', work) };
  const few = table === 'd3m' ? [] : [['arquero', 'arqueroBench', 8], ['perspective', 'perspectiveBench', 20]];
  if (table !== 'd5m') few.push(['crossfilter', 'crossfilterBench', 1]);
  for (const [side, run, n] of few) {
    const found = await unlessFull(side, inPeer(run, { ...work, windows: every(n) }));
    if (!found) continue;
    sides[side] = found;
    sameCounts(side, reference.filter((_, i) => i % n === 0), found.counts);
  }
  for (const side of Object.values(sides)) delete side.counts;
  return sides;
}

// W2 to W6: who passes, who is under the pointer, who is in the lasso, in which order; then
// the times.
async function explored(table, url, { inLimn, inPeer }) {
  const windows = WINDOWS.filter((_, i) => i % 2 === 0);
  const frames = table === 'd1m' ? 6 : 2;
  const isLarge = table === 'd10m';
  const work = { table, url, ...SCATTER, windows, lassos: LASSOS, probes: PROBES, pages: PAGES, frames };
  const limn = await inLimn('explore', work);
  const sides = { limn };
  if (!isLarge) {
    const few = { ...work, windows: windows.slice(0, 6), lassos: LASSOS.slice(0, 2) };
    sides.duckdb = await inPeer('duckdbExplore', few);
    same('brush', limn.brushed.slice(0, 6), sides.duckdb.brushed);
    same('lasso by SQL', limn.lassoed.slice(0, 2), sides.duckdb.lassoed);
    same('rows in order', limn.rows, sides.duckdb.rows);
  }
  if (wanted('W4')) {
    sides.loop = await inPeer('countInside', work);
    same('lasso', limn.lassoed, sides.loop.counts);
  }
  if (wanted('W3')) {
    sides.kdbush = await unlessFull('kdbush', inPeer('kdbushBench', work));
    if (sides.kdbush) nearestAgree(limn.found, sides.kdbush.found);
  }
  if (wanted('W4', 'W5')) {
    sides.regl = await unlessFull('regl-scatterplot', inPeer('reglBench', work));
    // It takes coordinates of 32 bits from -1 to 1: a point at the very edge may fall beyond.
    sides.regl?.lassoed.forEach((count, nth) => {
      if (Math.abs(count - limn.lassoed[nth]) > limn.lassoed[nth] * 1e-4) {
        throw new Error(`lasso ${nth}: ${limn.lassoed[nth]} against ${count} by regl-scatterplot`);
      }
    });
  }
  if (wanted('W5')) sides.atlas = await unlessFull('embedding-atlas', inPeer('atlasFrames', work, 'atlas'));
  if (wanted('W6') && !isLarge) {
    for (const [side, run] of [['arquero', 'arqueroRows'], ['perspective', 'perspectiveRows']]) {
      const found = await unlessFull(side, inPeer(run, { ...work, pages: PAGES.slice(0, 3) }));
      if (!found) continue;
      sides[side] = found;
      same(`rows in order by ${side}`, sides.duckdb.rows.slice(0, 3), found.rows);
    }
  }
  for (const side of Object.values(sides).filter(Boolean)) {
    for (const known of ['brushed', 'lassoed', 'rows', 'found', 'counts']) delete side[known];
  }
  return sides;
}

// W8: ours counts and draws the grid; of what it counted it tells the sum and the most.
async function gridded(table, url, { inLimn, inPeer }) {
  const work = { table, url, active: ACTIVE, grid: GRID, windows: WINDOWS.filter((_, i) => i % 8 === 0) };
  const limn = await inLimn('grid', work);
  const duckdb = await inPeer('duckdbGrid', work);
  const loop = await inPeer('loopGrid', work);
  const arquero = await inPeer('arqueroGrid', { ...work, windows: work.windows.slice(0, 3) });
  same('grid by a plain loop', duckdb.digests, loop.digests);
  same('grid by Arquero', duckdb.digests.slice(0, 3), arquero.digests);
  // Places are of 32 bits here: a point at a cell's very edge may be in the next one.
  limn.told.forEach(({ points, most }, nth) => {
    const [total, highest] = duckdb.digests[nth];
    if (Math.abs(points - total) > total * 1e-5 || Math.abs(most - highest) > 2 + highest * 0.005) {
      throw new Error(`grid ${nth}: ${points} points, at most ${most} in a cell, against ${total} and ${highest}`);
    }
  });
  for (const side of [limn, duckdb, loop, arquero]) for (const known of ['digests', 'told']) delete side[known];
  return { limn, duckdb, loop, arquero };
}

// W10: from an address in a fresh profile to what answers; ours with all of its page.
async function booted({ browser, address, inPeer }) {
  const boot = { limn: (await firstPoints(browser, address, TABLES[0])).shell };
  for (const side of ['duckdb', 'perspective']) {
    const times = [];
    for (let nth = 0; nth < 3; nth += 1) times.push(await inPeer('boot', null, `boot_${side}`));
    boot[side] = times.sort((a, b) => a - b)[1];
  }
  return boot;
}

// First loads, as gzip: ours as fetched, theirs as the files that a page of theirs is made of.
async function sizes({ browser, address }) {
  const at = (path) => join(here, 'node_modules', path);
  const atlas = ['duckdb-eh.wasm', 'duckdb-browser-eh.worker.js'].map((name) => at(`@duckdb/duckdb-wasm/dist/${name}`));
  // Its engine, its viewer and its grid, without charts.
  const perspective = [
    'client/dist/cdn/perspective.js', 'client/dist/wasm/perspective-js.wasm', 'server/dist/wasm/perspective-server.wasm',
    'viewer/dist/cdn/perspective-viewer.js', 'viewer/dist/wasm/perspective-viewer.wasm', 'viewer/dist/css/pro.css',
    'viewer-datagrid/dist/cdn/perspective-viewer-datagrid.js',
  ];
  return {
    ...(await firstLoad(browser, address, TABLES[0])),
    atlas: packedBytes([...atlas, join(here, 'bundled/atlas.js')]),
    perspective: packedBytes(perspective.map((path) => at(`@perspective-dev/${path}`))),
  };
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

await main();
