// Files and Delta tables at an address, read in the browser from any static host: the numbers
// are those that the companion gives for the same files.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync, cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };

// A host of data on an origin of its own, and one of the page: no server of ours.
async function withData(t, run) {
  t.allow(/404/);
  const host = await new StaticHost().start();
  host.folder = t.stage.lake;
  host.page = await new StaticHost().start();
  try {
    await run(host);
  } finally {
    await t.page.goto('about:blank');
    await host.stop();
    await host.page.stop();
  }
}

const openAt = (t, host, name, page = host.page.url) =>
  t.page.goto(`${page}/?open=${encodeURIComponent(`${host.url}/${name}`)}&renderer=${t.renderer}`);

scenario('a Delta table on a static host is read as the companion reads it', async (t) => {
  await withData(t, async (host) => {
    await openAt(t, host, 'weather');
    await t.untilShown();
    await t.untilSelected(await t.countOf('weather'));
    const rain = [{ column: 'weather', op: 'eq', value: 'rain' }];
    await t.page.getByRole('option', { name: /^rain/ }).first().click();
    await t.untilSelected(await t.countOf('weather', rain));
    await t.page.locator('.status').getByText('address', { exact: true }).waitFor();
    await t.shot('delta-at-an-address');
    // The first version, by the menu.
    await t.page.getByRole('button', { name: /Choose another version/ }).click();
    await t.page.locator('.version-option').last().click();
    await t.untilSelected(await t.countOf('weather', rain, 0));
    await t.reload();
    await t.untilSelected(await t.countOf('weather', rain, 0));
  });
}, raster);

scenario('rows that a deletion vector hides stay hidden, and order is the companion\'s', async (t) => {
  await withData(t, async (host) => {
    for (const table of ['birdstrikes', 'weather', 'flights']) {
      await openAt(t, host, `${table}/`);
      await t.untilShown();
      await t.untilSelected(await t.countOf(table));
      const { columns } = await fetch(`${t.wire.url}/api/tables/${table}`).then((answer) => answer.json());
      const rows = await t.ask({ table, columns: [columns[0].name], limit: 3 });
      const grid = t.page.getByRole('grid').locator('[role=rowgroup] [role=row]');
      for (const [at, row] of rows.entries()) {
        const cells = await grid.nth(at).innerText();
        const value = Object.values(row)[0];
        if (value !== null && typeof value === 'string') assert.ok(cells.includes(value), `${table} ${at}: ${cells} has no ${value}`);
      }
    }
  });
}, raster);

scenario('Parquet at an address is read by parts, only the columns wanted', async (t) => {
  await withData(t, async (host) => {
    await openAt(t, host, 'movies.parquet');
    await t.untilShown();
    await t.untilSelected(await t.countOf('movies'));
    assert.ok(host.requests.length > 0 && host.requests.every(({ range }) => range), JSON.stringify(host.requests));
    await t.shot('parquet-at-an-address');
    assert.equal(new URL(t.page.url()).searchParams.get('open'), `${host.url}/movies.parquet`);
    // What was loaded once is here when the host is gone.
    await t.page.getByRole('button', { name: 'What is kept offline' }).click();
    const dialog = t.page.getByRole('dialog', { name: 'Kept in this browser' });
    await dialog.getByRole('row', { name: /movies/ }).waitFor();
    t.allow(/ERR_CONNECTION_REFUSED|Failed to load/);
    const { port } = host.server.address();
    await host.stop();
    await t.page.reload();
    await t.untilSelected(await t.countOf('movies'));
  });
}, raster);

scenario('a file that changed since is another version, never a mixture', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'limn-changed-'));
  try {
    const text = readFileSync(join(t.stage.lake, 'airports.csv'), 'utf8').trimEnd();
    const file = join(folder, 'airports.csv');
    const airports = await t.countOf('airports');
    writeFileSync(file, text);
    await withData(t, async (host) => {
      host.folder = folder;
      await openAt(t, host, 'airports.csv');
      await t.untilShown();
      await t.untilSelected(airports);
      // The address bar follows the page a moment later.
      await t.page.waitForURL(/[?&]version=/);
      writeFileSync(file, text.slice(0, text.lastIndexOf('\n')));
      await t.page.reload();
      await t.page.getByText('the file at this address is no longer the one that the link was made for').waitFor();
      await t.page.getByRole('button', { name: 'Open the newest version' }).click();
      await t.untilSelected(airports - 1);
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, raster);

scenario('texts at an address stream: CSV, JSON lines, an array, compressed or not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'limn-texts-'));
  try {
    const rows = await t.ask({ table: 'penguins' });
    writeFileSync(join(folder, 'penguins.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
    writeFileSync(join(folder, 'penguins.json'), JSON.stringify(rows));
    cpSync(join(t.stage.lake, 'airports.csv'), join(folder, 'airports.csv'));
    const { gzipSync } = await import('node:zlib');
    writeFileSync(join(folder, 'airports.csv.gz'), gzipSync(readFileSync(join(folder, 'airports.csv'))));
    await withData(t, async (host) => {
      host.folder = folder;
      for (const [name, table] of [
        ['penguins.jsonl', 'penguins'],
        ['penguins.json', 'penguins'],
        ['airports.csv', 'airports'],
        ['airports.csv.gz', 'airports'],
      ]) {
        host.requests.length = 0;
        await openAt(t, host, name);
        await t.untilShown();
        await t.untilSelected(await t.countOf(table));
        assert.equal(host.requests.length, 1, name);
      }
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, raster);

scenario('what goes wrong at an address is said in words', async (t) => {
  t.allow(/404|CORS|ERR_FAILED|Access-Control|ERR_CONTENT_LENGTH_MISMATCH|ERR_INCOMPLETE/);
  await withData(t, async (host) => {
    const says = async (name, words) => {
      await openAt(t, host, name);
      await t.page.locator('.state.error').getByText(words).waitFor();
    };
    await says('nothing.parquet', /there is no such file \(404\)/);
    host.isOpen = false;
    await says('movies.parquet', /Access-Control-Allow-Origin/);
    await t.shot('no-cors');
    host.isOpen = true;
    host.breaksAfter = 3000;
    await says('airports.csv', /the answer broke off/);
    host.breaksAfter = Infinity;
    // The next good one opens, by the form; a host without parts gives the whole, which is said.
    host.givesParts = false;
    await t.page.getByRole('button', { name: 'Choose another table' }).click();
    await t.page.getByLabel('Address of a file or Delta table').fill(`${host.url}/movies.parquet`);
    await t.shot('open-an-address');
    await t.page.getByRole('button', { name: 'Open address' }).click();
    await t.page.getByText(/the host gives no parts of files/).waitFor();
    await t.untilSelected(await t.countOf('movies'));
  });
}, raster);

scenario('the page of a companion opens addresses too, by its reader alone', async (t) => {
  await withData(t, async (host) => {
    await openAt(t, host, 'flights', t.wire.url);
    await t.untilShown();
    await t.untilSelected(await t.countOf('flights'));
    // Nothing else of the page may fetch from there.
    t.allow(/Content Security Policy|violates/);
    const fetched = await t.page.evaluate((url) => fetch(url).then(() => 'fetched', () => 'refused'), `${host.url}/movies.parquet`);
    assert.equal(fetched, 'refused');
  });
}, raster);
