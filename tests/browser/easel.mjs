// The test pictures of app/examples/pictures.rs in a page of their own: builds the example
// with the profile that the app's bundle has, and serves it to the page without a server.

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { ROOT } from './server.mjs';

const CACHE = process.env.LIMN_CACHE ?? join(homedir(), '.cache/limn');
const TARGET = process.env.CARGO_TARGET_DIR ?? join(CACHE, 'target');
const BUILT = join(CACHE, 'pictures');
// An origin that browsers trust with WebGPU; nothing listens there, the route answers.
const ORIGIN = 'http://127.0.0.1:9';
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm', '.png': 'image/png' };

// Draws on a canvas of the page, as the app's worker does.
const WORKER = `
  import init, { Easel } from '/pictures.js';
  onmessage = async ({ data: { canvas, renderer, scene, width, height, ratio } }) => {
    try {
      await init();
      const easel = await Easel.on(canvas, renderer, width, height, ratio);
      easel.set_scene(scene);
      await easel.draw();
      postMessage({ info: easel.info(), events: easel.events() });
    } catch (error) {
      postMessage({ info: String(error), events: [] });
    }
  };
`;

let isBuilt = false;

function build() {
  if (isBuilt) return;
  const target = 'wasm32-unknown-unknown';
  const flags = ['--locked', '--profile', 'wasm', '-p', 'app', '--example', 'pictures', '--target', target];
  const options = { cwd: ROOT, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, CARGO_TARGET_DIR: TARGET } };
  execFileSync('cargo', ['build', '--quiet', ...flags], options);
  const wasm = join(TARGET, target, 'wasm/examples/pictures.wasm');
  execFileSync('wasm-bindgen', ['--target', 'web', '--no-typescript', '--out-dir', BUILT, wasm], options);
  isBuilt = true;
}

// Opens the page; `Easel` and `scenes` are globals of it then.
export async function openEasels(page) {
  build();
  const goldens = join(ROOT, 'app/tests/pictures/goldens');
  await page.route(`${ORIGIN}/**`, (route) => {
    const path = normalize(new URL(route.request().url()).pathname);
    if (path === '/') {
      return route.fulfill({ contentType: TYPES['.html'], body: '<!doctype html><title>easels</title><link rel="icon" href="data:,">' });
    }
    if (path === '/worker.js') return route.fulfill({ contentType: TYPES['.js'], body: WORKER });
    const file = path.startsWith('/goldens/') ? join(goldens, path.slice(9)) : join(BUILT, path);
    if (!existsSync(file)) return route.fulfill({ status: 404 });
    return route.fulfill({ contentType: TYPES[extname(file)], body: readFileSync(file) });
  });
  await page.goto(`${ORIGIN}/`);
  await page.evaluate(async () => {
    const easels = await import('/pictures.js');
    await easels.default();
    Object.assign(window, { Easel: easels.Easel, scenes: easels.scenes });
    // How many channels of two pictures are further apart than `channel`, and how far most is.
    window.compare = (one, other, channel = 2) => {
      let apart = 0;
      let most = 0;
      for (let at = 0; at < one.length; at += 1) {
        const distance = Math.abs(one[at] - other[at]);
        if (distance > channel) apart += 1;
        if (distance > most) most = distance;
      }
      return { apart: one.length === other.length ? apart / one.length : 1, most };
    };
    window.pause = (millis) => new Promise((done) => setTimeout(done, millis));
  });
}
