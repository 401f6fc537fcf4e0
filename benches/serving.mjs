// What the benches are served by: folders of files for peers, the companion for Limn, and
// where its first load comes from.
import { spawn } from 'node:child_process';
import { createReadStream, readFileSync, statSync } from 'node:fs';
import http from 'node:http';
import { extname, join, normalize } from 'node:path';
import { gzipSync } from 'node:zlib';
import { allViews } from '../tests/browser/told.mjs';

const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.css': 'text/css' };

// A folder on a port of its own, for pages of other origins too.
export async function serveFolder(folder) {
  const server = http.createServer((request, response) => {
    const path = join(folder, normalize(new URL(request.url, 'http://x').pathname));
    response.setHeader('access-control-allow-origin', '*');
    response.setHeader('content-type', TYPES[extname(path)] ?? 'application/octet-stream');
    createReadStream(path).on('error', () => response.writeHead(404).end()).pipe(response);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

export function startLimn(binary, lake) {
  const child = spawn(binary, ['serve', '--lake', lake, '--listen', '127.0.0.1:0']);
  return new Promise((done, failed) => {
    let text = '';
    const look = (chunk) => {
      text += chunk;
      const address = text.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (address) done({ address: address[0], stop: () => child.kill() });
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.on('exit', (code) => failed(new Error(`limn ended with ${code}: ${text}`)));
  });
}

// The script of the data worker, as the page's own text names it.
export async function workerScript(address) {
  const html = await (await fetch(`${address}/`)).text();
  const [, name] = html.match(/data-worker="([^"]+)"/) ?? [];
  if (!name) throw new Error(`the page at ${address} names no worker`);
  return new URL(name, `${address}/`).href;
}

// What a fresh profile fetches of the app until all views are shown, as gzip: whatever it
// is made of by then. The service worker, which fetches the rest for later, is kept out.
export async function firstLoad(browser, address, table) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, serviceWorkers: 'block' });
  try {
    const page = await context.newPage();
    await page.goto(`${address}/?table=${table}`);
    await allViews(page, 120_000);
    const fetched = () => performance.getEntriesByType('resource').map((entry) => entry.name);
    const names = new Set([`${address}/`]);
    for (const side of [page, ...page.workers()]) for (const name of await side.evaluate(fetched)) names.add(name);
    for (const worker of page.workers()) names.add(worker.url());
    const app = [...names].filter((name) => name.startsWith(`${address}/`) && !name.startsWith(`${address}/api/`) && !/\.(svg|png|webmanifest)$/.test(name));
    const files = await Promise.all(app.map(async (name) => [new URL(name).pathname, await gzipBytes(name)]));
    return { files, total: files.reduce((sum, [, bytes]) => sum + bytes, 0) };
  } finally {
    await context.close();
  }
}

// Bytes of a body as they travel. fetch() would unpack them.
function gzipBytes(url) {
  return new Promise((done, failed) => {
    http.get(url, { headers: { 'accept-encoding': 'gzip' } }, (response) => {
      if (response.statusCode !== 200) failed(new Error(`${url}: ${response.statusCode}`));
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('end', () => {
        const body = Buffer.concat(parts);
        // What is too small to be kept packed is packed here, for one measure of all.
        done(response.headers['content-encoding'] === 'gzip' ? body.length : Math.min(body.length, gzipSync(body, { level: 9 }).length));
      });
    }).on('error', failed);
  });
}

// The same measure of files of a package.
export function packedBytes(paths) {
  return paths.reduce((sum, path) => sum + Math.min(statSync(path).size, gzipSync(readFileSync(path), { level: 9 }).length), 0);
}
