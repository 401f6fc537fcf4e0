// Benches in the browser: Limn's own page and worker, then its peers, in the same Chromium
// on the same bytes. Counts are compared before any time is told.
//
//     node benches/browser.mjs BINARY DATA_FOLDER OUT.json
//
// DATA_FOLDER holds d1m.parquet and d3m.parquet (tools/generate_table.py).
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
const FLAGS = ['--no-sandbox', '--no-first-run', '--disable-quic', '--disable-background-networking',
  '--disable-component-update', '--disable-sync'];
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

// Runs in Limn's page: a worker of its own, spoken to by the protocol.
async function brushInWorker({ script, table, views, active, bins, windows }) {
  const worker = new Worker(script, { type: 'module' });
  const waiting = [];
  const failures = [];
  worker.onmessage = ({ data: message }) => {
    const reply = JSON.parse(message);
    for (const entry of [...waiting]) if (entry.wanted(reply)) { waiting.splice(waiting.indexOf(entry), 1); entry.done(reply); }
    if (reply.panicked || reply.notice) failures.push(JSON.stringify(reply));
  };
  // A worker that says nothing is told of, rather than waited for.
  const reply = (wanted) => new Promise((done, failed) => {
    const late = setTimeout(() => failed(new Error(`the worker did not answer ${wanted}; it said ${failures}`)), 60_000);
    waiting.push({ wanted, done: (answer) => { clearTimeout(late); done(answer); } });
  });
  worker.onerror = (error) => failures.push(error.message);
  const send = (request) => worker.postMessage(JSON.stringify(request));
  const columns = [...views.map((view) => view.column), active];
  send({ start: { api: location.origin, reader: null, budget_bytes: null, renderer: 'raster', dark: false, debug: false } });
  const began = performance.now();
  const loaded = reply((message) => message.progress && (message.progress.state === 'complete' || message.progress.state.failed));
  send({ load: { table, version: null, columns } });
  const progress = (await loaded).progress;
  if (progress.state !== 'complete') throw new Error(JSON.stringify(progress.state));
  const load = performance.now() - began;
  const marks = views.map(({ column, domain }, id) => ({ id, mark: { histogram: { column, bins, domain } } }));
  const show = async (generation, [low, high]) => {
    const clause = { id: `column:${active}`, predicate: { column: active, op: 'between', value: [low, high] } };
    const answer = reply((message) => message.views && message.views.generation === generation);
    send({ show: { generation, clauses: [clause], views: marks } });
    return (await answer).views;
  };
  const first = performance.now();
  await show(1, [0, 24]);
  const build = performance.now() - first;
  // As when the pointer comes to the control; then the brush is there at once, and then later.
  const ready = reply((message) => message.prepared && message.prepared.column === active);
  const before = performance.now();
  send({ approach: { column: active } });
  await ready;
  const cube = performance.now() - before;
  const times = [], inside = [], counts = [];
  for (let step = 0; step < windows.length; step++) {
    const from = performance.now();
    const answer = await show(step + 2, windows[step]);
    times.push(performance.now() - from);
    inside.push(answer.elapsed_millis);
    counts.push(answer.results.map((result) => result.result.histogram.counts));
  }
  worker.terminate();
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
  return { load, build, cube, median: at(times, 0.5), p95: at(times, 0.95), inside: at(inside, 0.5), counts, failures };
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
    for (const table of ['d1m', 'd3m']) {
      const entry = { table };
      const context = await browser.newContext({ viewport: { width: 1400, height: 900 } });
      const page = await context.newPage();
      await page.goto(`${limn.address}/`);
      const work = { script, table, views: VIEWS, active: ACTIVE, bins: BINS, windows: WINDOWS };
      entry.limn = await page.evaluate(brushInWorker, work);
      await context.close();
      entry.page = await firstPoints(browser, limn.address, table);
      const url = `http://127.0.0.1:${files.address().port}/_peers/${table}.arrows`;
      for (const peer of ['crossfilter', 'duckdb']) {
        const context = await browser.newContext();
        const page = await context.newPage();
        await page.goto(`http://127.0.0.1:${peers.address().port}/peers.html`);
        await page.waitForFunction('window.peersReady');
        entry[peer] = await page.evaluate(([name, work]) => window[`${name}Bench`](work),
          [peer, { ...work, url, windows: peer === 'duckdb' ? WINDOWS.filter((_, i) => i % 4 === 0) : WINDOWS }]);
        await context.close();
      }
      sameCounts('crossfilter', entry.limn.counts, entry.crossfilter.counts);
      sameCounts('duckdb', entry.limn.counts.filter((_, i) => i % 4 === 0), entry.duckdb.counts);
      for (const side of ['limn', 'crossfilter', 'duckdb']) {
        delete entry[side].counts;
        console.log(table, side, JSON.stringify(entry[side]));
      }
      console.log(table, 'page', JSON.stringify(entry.page));
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

await main();
