// Without a network: what is kept here opens, says as of when, and can be thrown away.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

async function kept(t, page = t.page) {
  await page.getByRole('button', { name: 'What is kept offline' }).click();
  return page.getByRole('dialog', { name: 'Kept in this browser' });
}

scenario('kept tables open without a network, as of their version', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  const rain = await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]);
  const total = await t.countOf('weather');
  const [coldest] = await t.ask({
    table: 'weather',
    filters: [{ column: 'weather', op: 'eq', value: 'rain' }],
    columns: ['date', 'temp_max'],
    order_by: [{ column: 'temp_max' }],
    limit: 1,
  });
  await t.offlineReady();
  await t.offline();
  await t.reload();
  await t.untilShown();
  await t.untilSelected(total);
  await t.page.getByText('offline · as of version 2').waitFor();
  await t.page.getByRole('option', { name: /^rain/ }).first().click();
  await t.untilSelected(rain);
  // Rows too, in any order.
  const grid = t.page.getByRole('grid');
  await grid.getByRole('button', { name: 'temp_max', exact: true }).click();
  await t.until('the coldest day first', async () => {
    const first = await grid.locator('[role=rowgroup] [role=row]').first().innerText();
    return [coldest.temp_max, coldest.date].every((value) => first.includes(String(value)));
  });
  // A table that was never loaded says so.
  await t.open({ table: 'movies' });
  await t.page.getByRole('heading', { name: 'movies cannot be opened' }).waitFor();
  await t.shot('never-kept');
  await t.open();
  await t.page.getByText('The companion does not answer. Tables marked offline are kept here.').waitFor();
  await t.page.getByRole('option', { name: /weather/ }).getByText('offline').waitFor();
  await t.shot('tables-offline');

  // The network is back, and the page finds that by itself.
  await t.online();
  await t.page.getByText('online', { exact: true }).waitFor({ timeout: 60_000 });
}, raster);

scenario('what is kept is listed with its age and size, and deleted', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  await t.open({ table: 'penguins' });
  await t.untilShown();
  const dialog = await kept(t);
  await t.until('both tables', async () => (await dialog.locator('tbody tr').count()) === 2);
  const weather = dialog.getByRole('row', { name: /weather/ });
  assert.match(await weather.innerText(), /version 2[\s\S]*2,922[\s\S]*kB/);
  await t.shot('kept');
  await dialog.getByRole('button', { name: 'Delete what is kept of weather' }).click();
  await weather.waitFor({ state: 'detached' });
  await dialog.getByRole('button', { name: 'Delete all' }).click();
  await dialog.getByText('Nothing is kept yet: open a table.').waitFor();
  await t.page.keyboard.press('Escape');
  await dialog.waitFor({ state: 'hidden' });

  await t.offline();
  await t.reload();
  await t.page.getByRole('heading', { name: 'penguins cannot be opened' }).waitFor();
}, raster);

scenario('a browser that gives no room still shows everything', async (t) => {
  const session = await t.context.newCDPSession(t.page);
  await t.open();
  await session.send('Storage.overrideQuotaForOrigin', { origin: t.wire.url, quotaSize: 100_000 });
  await t.open({ table: 'movies' });
  await t.untilShown();
  await t.untilSelected(await t.countOf('movies'));
  const dialog = await kept(t);
  await dialog.waitFor();
  await t.shot('no-room');
}, raster);

scenario('a browser without storage says so and works', async (t) => {
  // What private modes do: the store is there and refuses.
  await t.context.addInitScript(() => {
    const refuse = async () => {
      throw new DOMException('storage is refused here', 'SecurityError');
    };
    if (globalThis.StorageManager) StorageManager.prototype.getDirectory = refuse;
  });
  await t.refuseStorageInWorkers();
  await t.open({ table: 'movies' });
  await t.untilShown();
  await t.untilSelected(await t.countOf('movies'));
  const dialog = await kept(t);
  await dialog.getByText(/Nothing can be kept here/).waitFor();
  await t.shot('no-storage');
}, raster);

scenario('two tabs share what is kept', async (t) => {
  await t.open({ table: 'weather' });
  const other = await t.newPage();
  await t.open({ table: 'weather' }, '/', other);
  await t.untilShown();
  await t.untilShown(other);
  const total = await t.countOf('weather');
  await t.untilSelected(total);
  await t.untilSelected(total, other);
  // Deleted in one, still on screen in the other, and loaded again by the next.
  const dialog = await kept(t, other);
  await dialog.getByRole('button', { name: 'Delete all' }).click();
  await dialog.getByText('Nothing is kept yet: open a table.').waitFor();
  await t.page.bringToFront();
  await t.page.getByRole('option', { name: /^rain/ }).first().click();
  await t.untilSelected(await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]));
  await t.reload();
  await t.untilSelected(await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]));
}, raster);

scenario('when the room ends half-way, what was kept stays and what is loaded is shown', async (t) => {
  await t.open({ table: 'weather' });
  await t.untilShown();
  const total = await t.countOf('weather');
  const rain = await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]);
  await t.offlineReady();
  const dialog = await kept(t);
  const weather = dialog.getByRole('row', { name: /weather/ });
  await t.until('weather is kept', async () => /version 2[\s\S]*7 columns[\s\S]*2,922/.test(await weather.innerText()));
  await t.page.keyboard.press('Escape');

  // Room for one column of the flights and a little more, and there are eight.
  const session = await t.context.newCDPSession(t.page);
  const { usage } = await t.page.evaluate(() => navigator.storage.estimate());
  await session.send('Storage.overrideQuotaForOrigin', { origin: t.wire.url, quotaSize: usage + 8_000_000 });
  await t.page.getByRole('button', { name: 'Table weather. Choose another' }).click();
  await t.page.getByRole('option', { name: /^flights/ }).click();
  await t.until('all flights', async () => (await t.counts()).total === 3_000_000, 90_000);
  await t.page.getByRole('progressbar', { name: 'Loading' }).waitFor({ state: 'hidden' });
  await t.page.getByRole('option', { name: /^ORD/ }).first().click();
  await t.untilSelected(await t.countOf('flights', [{ column: 'origin', op: 'eq', value: 'ORD' }]));

  await kept(t);
  await dialog.getByText(/^Nothing more can be kept here: the browser's quota is used up/).waitFor();
  assert.match(await weather.innerText(), /version 2[\s\S]*7 columns[\s\S]*2,922/);
  await t.shot('room-ended');
  // Nothing is left of what could not be written whole.
  await t.until('files are listed or gone', () =>
    t.page.evaluate(async () => {
      const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('limn');
      const manifest = await (await (await folder.getFileHandle('manifest.json')).getFile()).text();
      const { entries } = JSON.parse(manifest);
      const files = [];
      for await (const name of folder.keys()) if (name.endsWith('.col')) files.push(name);
      return files.length >= 7 && files.every((name) => name in entries);
    }),
  );

  await t.offline();
  await t.open({ table: 'weather' });
  await t.untilShown();
  await t.untilSelected(total);
  await t.page.getByText('offline · as of version 2').waitFor();
  await t.page.getByRole('option', { name: /^rain/ }).first().click();
  await t.untilSelected(rain);
}, { ...raster, timeoutMillis: 240_000 });
