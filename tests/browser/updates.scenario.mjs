// A newer build of the app on the same host: the page that is open offers it and takes it
// when asked; a page that is opened gets it at once; either works on without a network.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { DIST, StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };
const OFFER = 'A new version of Limn is ready.';

// A copy of the build under another name, as the bundler would make of other sources: one
// file has other bytes, and so another name, and whoever names it has too.
function nextBuild(folder) {
  cpSync(DIST, folder, { recursive: true });
  const at = (name) => join(folder, name);
  const [, build] = readFileSync(at('index.html'), 'utf8').match(/data-build="(\w+)"/);
  const [boot] = readFileSync(at('index.html'), 'utf8').match(/boot-\w+\.js/);
  renameSync(at(boot), at('boot-other.js'));
  writeFileSync(at('boot-other.js'), '// Other bytes.\n', { flag: 'a' });
  for (const name of ['index.html', 'sw.js']) {
    const text = readFileSync(at(name), 'utf8').replaceAll(boot, 'boot-other.js').replaceAll(build, 'other');
    writeFileSync(at(name), text);
  }
  return build;
}

async function onHost(t, run) {
  const parent = mkdtempSync(join(tmpdir(), 'limn-builds-'));
  const next = join(parent, 'next');
  const build = nextBuild(next);
  const host = await new StaticHost().start({ api: false });
  try {
    await run(host, { build, deploy: () => (host.folder = next) });
  } finally {
    for (const page of t.context.pages()) await page.goto('about:blank');
    await host.stop();
    rmSync(parent, { recursive: true });
  }
}

const buildOf = (page) => page.evaluate(() => globalThis.limn.build);
const cachesOf = (page) => page.evaluate(() => caches.keys());

// The page is under a service worker that has all its files.
async function untilKept(t, page = t.page) {
  await page.getByRole('heading', { name: 'Explore a table' }).waitFor();
  await t.offlineReady(page);
  await t.until('the service worker has the page', () => page.evaluate(() => navigator.serviceWorker.controller !== null));
}

// What is done every half an hour is done every second.
const hasten = (page) =>
  page.addInitScript(() => {
    const slow = globalThis.setInterval;
    globalThis.setInterval = (run, millis, ...rest) => slow(run, Math.min(millis, 1000), ...rest);
  });

scenario('a newer build is offered to the page that is open, and taken on request', async (t) => {
  t.allow(/ERR_/);
  await hasten(t.page);
  await onHost(t, async (host, { build, deploy }) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await untilKept(t);
    assert.equal(await buildOf(t.page), build);
    assert.deepEqual(await cachesOf(t.page), [`limn-shell-${build}`]);
    const notice = t.page.getByText(OFFER);
    assert.equal(await notice.count(), 0);
    await t.page.evaluate(() => (globalThis.isOld = true));

    deploy();
    await notice.waitFor();
    await t.shot('update-offered');
    // Nothing is taken before it is asked for.
    assert.equal(await t.page.evaluate(() => globalThis.isOld), true);
    assert.equal(await buildOf(t.page), build);
    assert.ok((await cachesOf(t.page)).includes(`limn-shell-${build}`));

    await t.page.getByRole('status').getByRole('button', { name: 'Reload' }).click();
    await t.until('the page is of the newer build', async () => (await buildOf(t.page)) === 'other');
    await untilKept(t);
    assert.equal(await t.page.evaluate(() => globalThis.isOld), undefined);
    await t.until('only its files are kept', async () => String(await cachesOf(t.page)) === 'limn-shell-other');
    assert.equal(await notice.count(), 0);

    // It is what opens without a network, too.
    await host.stop();
    await t.page.reload();
    await t.page.getByRole('heading', { name: 'Explore a table' }).waitFor();
    assert.equal(await buildOf(t.page), 'other');
  });
}, raster);

scenario('a page that is opened is of the newest build, and its service worker takes over unasked', async (t) => {
  await onHost(t, async (host, { build, deploy }) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await untilKept(t);
    assert.equal(await buildOf(t.page), build);
    deploy();
    await t.reload();
    assert.equal(await buildOf(t.page), 'other');
    await t.until('only its files are kept', async () => String(await cachesOf(t.page)) === 'limn-shell-other');
    await untilKept(t);
    assert.equal(await t.page.getByText(OFFER).count(), 0);
  });
}, raster);

scenario('a page of the older build is told when another tab takes the newer one', async (t) => {
  t.allow(/404/);
  await onHost(t, async (host, { build, deploy }) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await untilKept(t);
    deploy();
    const other = await t.newPage();
    await other.goto(`${host.url}/?renderer=${t.renderer}`);
    assert.equal(await buildOf(other), 'other');
    // The older page's files are gone from here: what it has yet to load may be nowhere.
    await t.until('only its files are kept', async () => String(await cachesOf(t.page)) === 'limn-shell-other');
    await t.page.bringToFront();
    assert.equal(await buildOf(t.page), build);
    await t.page.getByText(OFFER).waitFor();
  });
}, raster);
