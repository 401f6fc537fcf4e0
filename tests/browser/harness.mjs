// What a scenario is given: a page of its own behind a wire of its own, in one of the two
// renderers, with everything that went wrong in the console collected.
//
//     scenario('a brush filters the other views', async (t) => {
//       await t.open({ table: 'flights' });
//       …
//     });

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';
import { DECODER, Gallery } from './picture.mjs';
import { Server } from './server.mjs';
import * as told from './told.mjs';
import { Wire } from './wire.mjs';

export const RENDERERS = ['webgpu', 'raster'];
export const SIZES = {
  wide: { width: 1440, height: 900 },
  laptop: { width: 1024, height: 720 },
  narrow: { width: 390, height: 844 },
};
export const THEMES = ['light', 'dark'];

// With these the WebGPU adapter is SwiftShader, and its canvases are in screenshots.
const FLAGS = [
  '--no-sandbox',
  '--no-first-run',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-vulkan=swiftshader',
  '--use-angle=swiftshader',
  // Another machine's name, and so no secure context.
  '--host-resolver-rules=MAP limn.test 127.0.0.1',
];
const STEP_MILLIS = Number(process.env.LIMN_STEP_MILLIS ?? 30_000);
const GOLDEN_MILLIS = 5_000;
// A page is still though the edge of a round dot flickers, which it does without an end: a
// pixel counts as another one from so many of 255 on, and up to four of a page were seen to.
const SHADE = 4;
const STILL_SHARE = 2e-5;

export const scenarios = [];

// Enters a scenario. The first that draws pictures compiles them, which takes minutes.
// `renderers` says in which it runs, by default in both.
export function scenario(name, run, { renderers = RENDERERS, timeoutMillis = 600_000, size = 'wide', theme = 'light' } = {}) {
  for (const renderer of renderers) scenarios.push({ name, renderer, run, timeoutMillis, size, theme });
}

// The browser and the server that all scenarios share.
export class Stage {
  async start({ lake, shots }) {
    this.lake = lake;
    this.server = await new Server().start([lake]);
    this.browser = await chromium.launch({
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: FLAGS,
    });
    const blank = await this.browser.newPage();
    await blank.evaluate(DECODER);
    this.gallery = new Gallery(blank, shots);
    return this;
  }

  async stop() {
    await this.browser?.close();
    await this.server?.stop();
  }
}

export class Scene {
  constructor(stage, { name, renderer, size, theme }) {
    this.stage = stage;
    this.name = name;
    this.renderer = renderer;
    this.size = size;
    this.theme = theme;
    this.problems = [];
    this.allowed = [];
    this.servers = [];
  }

  async begin() {
    this.wire = await new Wire(this.stage.server.port).plugIn();
    this.context = await this.stage.browser.newContext({ viewport: SIZES[this.size], colorScheme: this.theme });
    this.context.setDefaultTimeout(STEP_MILLIS);
    this.page = await this.newPage();
  }

  async end() {
    await this.context?.close();
    await this.wire?.close();
    for (const server of this.servers) await server.stop();
  }

  // Another tab of the same browser profile.
  async newPage() {
    const page = await this.context.newPage();
    page.on('console', (message) => {
      // Without a network the browser itself complains of every request that fails.
      const unplugged = message.text().includes('ERR_INTERNET_DISCONNECTED');
      if (message.type() === 'error' && !unplugged) this.problems.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`page: ${error.stack ?? error}`));
    page.on('crash', () => this.problems.push('page: crashed'));
    return page;
  }

  // Opens the page, with the renderer of this run and what else is to be in the address.
  async open(parameters = {}, path = '/', page = this.page) {
    const address = new URL(path, this.wire.url);
    for (const [key, value] of Object.entries({ renderer: this.renderer, ...parameters })) {
      address.searchParams.set(key, String(value));
    }
    await page.goto(address.href, { waitUntil: 'load' });
    return page;
  }

  // Opens an address as one would be sent: ':' and ',' stand bare in it.
  async openLink(query, page = this.page) {
    await page.goto(`${this.wire.url}/?${query}&renderer=${this.renderer}`, { waitUntil: 'load' });
  }

  async reload() {
    await this.page.reload({ waitUntil: 'load' });
  }

  // Replaces the shared server for this scene: other lakes, other flags.
  async serve(lakes, flags = []) {
    const server = await new Server().start(lakes, flags);
    this.servers.push(server);
    this.wire.upstreamPort = server.port;
    return server;
  }

  // What the companion itself answers, past the wire: the numbers to hold the page to.
  ask(query) {
    return told.ask(`http://127.0.0.1:${this.wire.upstreamPort}`, query);
  }

  countOf(table, filters, version) {
    return told.countOf(`http://127.0.0.1:${this.wire.upstreamPort}`, table, filters, version);
  }

  // What the page says: how many rows pass, of how many.
  counts(page = this.page) {
    return told.counts(page, STEP_MILLIS);
  }

  // What the address says.
  parameter(name) {
    return new URL(this.page.url()).searchParams.get(name);
  }

  // From the first of these places over the others.
  async drag(places, steps = 5) {
    const { mouse } = this.page;
    await mouse.move(...places[0]);
    await mouse.down();
    for (const place of places.slice(1)) await mouse.move(...place, { steps });
    await mouse.up();
  }

  async untilSelected(expected, page = this.page) {
    let last;
    await this.until(`${expected} rows selected`, async () => {
      last = await this.counts(page);
      return last.selected === expected;
    }).catch((error) => {
      throw new Error(`${error.message}; the page says ${JSON.stringify(last)}`);
    });
  }

  // Every view has its answer about all rows.
  async untilShown(page = this.page) {
    await told.allViews(page, 2 * STEP_MILLIS);
  }

  // The control of a column's filter, opened in the side panel.
  async filter(column, page = this.page) {
    const side = page.getByRole('complementary', { name: 'Filters and columns' });
    const toggle = side.getByRole('button', { name: column, exact: true });
    if ((await toggle.getAttribute('aria-expanded')) !== 'true') await toggle.click();
    return page.locator(`[id="filter-${column}"]`);
  }

  // The service worker has the app's files, and what was loaded is written down.
  async offlineReady(page = this.page) {
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    // All files come into the cache at once. Opening caches by name would make those anew
    // that a newer build has just cleaned away.
    await this.until('the app is kept', () => page.evaluate(async () => Boolean(await caches.match('./'))));
  }

  // Refuses the worker's files too: its script is served with a line before it.
  async refuseStorageInWorkers() {
    await this.context.route(/worker-start-.*\.js$/, async (route) => {
      const answer = await route.fetch();
      const refusal =
        "StorageManager.prototype.getDirectory = async () => { throw new DOMException('storage is refused here', 'SecurityError'); };\n";
      await route.fulfill({ response: answer, body: refusal + (await answer.text()) });
    });
  }

  // The network is gone: nothing answers, and the browser knows it.
  async offline() {
    await this.wire.unplug();
    await this.context.setOffline(true);
  }

  async online() {
    await this.wire.replug();
    await this.context.setOffline(false);
  }

  // A slow line and, with `cpu`, a processor that many times slower.
  async throttle({ latencyMillis, bytesPerSecond, cpu } = {}) {
    this.wire.throttle({ latencyMillis, bytesPerSecond });
    if (cpu) {
      const session = await this.context.newCDPSession(this.page);
      await session.send('Emulation.setCPUThrottlingRate', { rate: cpu });
    }
  }

  async resize(size) {
    await this.page.setViewportSize(SIZES[size]);
  }

  async setTheme(theme) {
    await this.page.emulateMedia({ colorScheme: theme });
  }

  // A picture of the page or of one element, kept for people to look at.
  async shot(name, target = this.page) {
    const png = await target.screenshot({ animations: 'disabled' });
    this.stage.gallery.save(`${this.renderer}/${name}`, png);
    return png;
  }

  // The page in three sizes, light and dark.
  async shotsOfAll(name) {
    for (const size of Object.keys(SIZES)) {
      for (const theme of THEMES) {
        await this.resize(size);
        await this.setTheme(theme);
        await this.untilStill();
        await this.shot(`${name}-${size}-${theme}`);
      }
    }
    await this.resize(this.size);
    await this.setTheme(this.theme);
  }

  // Nothing moves any more: canvases have drawn at their new size and in their new colours.
  async untilStill(target = this.page) {
    const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    let before = Buffer.alloc(0);
    let nSame = 0;
    await this.until('the picture stays as it is', async () => {
      await this.page.evaluate(frames);
      const png = await target.screenshot({ animations: 'disabled' });
      const isSame = png.equals(before) || (before.length > 0 && (await this.stage.gallery.difference(before, png, SHADE)) <= STILL_SHARE);
      nSame = isSame ? nSame + 1 : 0;
      before = png;
      return nSame >= 2;
    });
  }

  // How much is drawn on an element: { colours, share }.
  async ink(target) {
    return this.stage.gallery.ink(await target.screenshot({ animations: 'disabled' }));
  }

  async difference(left, right) {
    return this.stage.gallery.difference(left, right);
  }

  // Compares with a picture that was looked at and kept. What is late to be drawn is waited for.
  async golden(name, target = this.page, shareMax = 0.01) {
    await this.untilStill(target);
    const matches = async () => {
      const png = await target.screenshot({ animations: 'disabled' });
      await this.stage.gallery.matchesGolden(`${this.renderer}/${name}`, png, shareMax);
      return true;
    };
    await this.until(`the golden ${name}`, matches, GOLDEN_MILLIS);
  }

  // Waits until a check gives something true, and returns it.
  async until(what, check, timeoutMillis = STEP_MILLIS) {
    const deadline = Date.now() + timeoutMillis;
    let last;
    for (;;) {
      try {
        const found = await check();
        if (found) return found;
        last = undefined;
      } catch (error) {
        last = error;
      }
      if (Date.now() > deadline) {
        throw new Error(`waited ${timeoutMillis / 1000} s for: ${what}${last ? `\n${last}` : ''}`);
      }
      await new Promise((done) => setTimeout(done, 50));
    }
  }

  // Console errors that this scenario brings about on purpose.
  allow(...patterns) {
    this.allowed.push(...patterns);
  }

  checkProblems() {
    const left = this.problems.filter((problem) => !this.allowed.some((pattern) => pattern.test(problem)));
    assert.deepEqual(left, [], `the console has errors:\n${left.join('\n')}`);
  }
}
