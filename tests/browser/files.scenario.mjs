// Files of one's own, and hosts without a companion or with one elsewhere.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { scenario } from './harness.mjs';
import { StaticHost } from './static_host.mjs';

const raster = { renderers: ['raster'] };

// Drops a file on the page as a hand would: dragged over it, let go.
async function drop(t, name, bytes, page = t.page) {
  const data = await page.evaluateHandle(
    async ([name, base64]) => {
      const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
      const data = new DataTransfer();
      data.items.add(new File([bytes], name));
      return data;
    },
    [name, bytes.toString('base64')],
  );
  await page.dispatchEvent('body', 'dragover', { dataTransfer: data });
  await page.dispatchEvent('body', 'drop', { dataTransfer: data });
}

async function onHost(t, config, run) {
  const host = await new StaticHost().start(config);
  try {
    await run(host);
  } finally {
    await t.page.goto('about:blank');
    await host.stop();
  }
}

const sample = (t, name) => readFileSync(join(t.stage.lake, name));

scenario('files dropped on a page without any companion become tables', async (t) => {
  t.allow(/404/);
  await onHost(t, {}, async (host) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await t.page.getByText('There is no companion here, and nothing is kept in this browser yet.').waitFor();
    await t.shot('no-companion');
    for (const [name, table] of [
      ['movies.parquet', 'movies'],
      ['airports.csv', 'airports'],
      ['penguins.arrow', 'penguins'],
      ['stocks.arrows', 'stocks'],
    ]) {
      await drop(t, name, sample(t, name));
      await t.page.getByRole('button', { name: `Table file:${name}. Choose another` }).waitFor();
      await t.untilSelected(await t.countOf(table));
    }
    await drop(t, 'movies.parquet', sample(t, 'movies.parquet'));
    await t.untilSelected(await t.countOf('movies'));
    await t.page.getByRole('option', { name: /^Drama/ }).first().click();
    await t.untilSelected(await t.countOf('movies', [{ column: 'genre', op: 'eq', value: 'Drama' }]));
    assert.equal(await t.page.locator('.status').innerText().then((text) => text.includes('file')), true);
    await t.shot('dropped');
  });
}, raster);

scenario('a file that is not what it says is refused in words', async (t) => {
  t.allow(/404/);
  await onHost(t, {}, async (host) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await t.page.getByRole('heading', { name: 'Explore a table' }).waitFor();
    const parquet = sample(t, 'movies.parquet');
    await drop(t, 'half.parquet', parquet.subarray(0, parquet.length / 2));
    await t.page.getByRole('heading', { name: 'file:half.parquet cannot be opened' }).waitFor();
    await t.shot('half-a-file');
    await drop(t, 'letter.docx', Buffer.from('no table'));
    await t.page.getByText('letter.docx is none of Parquet, Arrow (feather), CSV and JSON.').waitFor();
    await drop(t, 'empty.csv', Buffer.alloc(0));
    await t.page.getByRole('heading', { name: 'file:empty.csv cannot be opened' }).waitFor();
    // And the next good one opens.
    await drop(t, 'penguins.arrow', sample(t, 'penguins.arrow'));
    await t.untilSelected(await t.countOf('penguins'));
  });
}, raster);

scenario('texts of every form become tables: tabs, JSON lines, an array, compressed', async (t) => {
  t.allow(/404/);
  await onHost(t, {}, async (host) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    await t.page.getByRole('heading', { name: 'Explore a table' }).waitFor();
    const csv = sample(t, 'airports.csv').toString();
    const airports = await t.countOf('airports');
    assert.ok(!csv.includes('\t'));
    const rows = await t.ask({ table: 'penguins' });
    const mixed = rows.map((row, at) => ({ ...row, any: at % 2 ? at : `n${at}`, nested: { at: [at] } }));
    for (const [name, bytes, count] of [
      ['penguins.jsonl', mixed.map((row) => JSON.stringify(row)).join('\n'), rows.length],
      ['penguins.json', JSON.stringify(rows, null, 2), rows.length],
      ['airports.csv.gz', gzipSync(csv), airports],
      ['small.tsv', 'a\tb\n1\tx,y\n2\tz\n', 2],
    ]) {
      await drop(t, name, Buffer.from(bytes));
      await t.page.getByRole('button', { name: `Table file:${name}. Choose another` }).waitFor();
      await t.untilSelected(count);
    }
    await drop(t, 'mixed.jsonl', Buffer.from(mixed.map((row) => JSON.stringify(row)).join('\n')));
    await t.page.getByText(/shown as text: "any"/).last().waitFor();
    await t.shot('json-lines');
    await drop(t, 'bad.jsonl', Buffer.from('{"a":1}\n{"a":}\n'));
    await t.page.getByText("bad.jsonl: line 2: a value was expected, here is '}'").waitFor();
  });
}, raster);

scenario('a folder of the disk with a Delta log is a table with versions', async (t) => {
  t.allow(/404/);
  await onHost(t, {}, async (host) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}`);
    const chosen = t.page.waitForEvent('filechooser');
    await t.page.getByRole('button', { name: 'Open a folder …' }).click();
    await (await chosen).setFiles(join(t.stage.lake, 'birdstrikes'));
    await t.page.getByRole('button', { name: 'Table file:birdstrikes. Choose another' }).waitFor();
    await t.untilSelected(await t.countOf('birdstrikes'));
    await t.page.getByRole('button', { name: /Choose another version/ }).click();
    await t.page.locator('.version-option').last().click();
    await t.untilSelected(await t.countOf('birdstrikes', [], 0));
  });
}, raster);

scenario('a file beyond the memory is shown as far as it goes, and that is said', async (t) => {
  t.allow(/404/);
  await onHost(t, {}, async (host) => {
    await t.page.goto(`${host.url}/?renderer=${t.renderer}&budget=${4 << 20}`);
    await t.page.getByRole('heading', { name: 'Explore a table' }).waitFor();
    const data = await t.page.evaluateHandle(() => {
      const part = (first) => {
        let text = '';
        for (let n = first; n < first + 10_000; n++) text += `${n},${n * 0.5},name ${n % 7}\n`;
        return text;
      };
      const parts = ['id,half,name\n'];
      for (let first = 0; first < 1_500_000; first += 10_000) parts.push(part(first));
      const data = new DataTransfer();
      data.items.add(new File(parts, 'large.csv'));
      return data;
    });
    await t.page.dispatchEvent('body', 'drop', { dataTransfer: data });
    await t.page.getByText(/only the first \d+ rows of 1500000 are shown/).waitFor({ timeout: 120_000 });
    await t.page.getByText(/not loaded, because there are 4 MiB for columns here/).waitFor();
    const { total } = await t.counts();
    assert.ok(total > 100_000 && total < 1_500_000, `${total}`);
    await t.shot('as-far-as-it-goes');
  });
}, raster);

scenario('the same files serve a companion on another origin', async (t) => {
  const host = await new StaticHost().start();
  await host.stop();
  // The companion has to know the page's origin, the page the companion's.
  const config = {};
  await onHost(t, config, async (host) => {
    const server = await t.serve([t.stage.lake], ['--cors-origin', host.url]);
    config.api = server.url;
    await t.page.goto(`${host.url}/?renderer=${t.renderer}&table=weather`);
    await t.untilShown();
    await t.untilSelected(await t.countOf('weather'));
    await t.page.getByText('online', { exact: true }).waitFor();
    await t.page.getByRole('option', { name: /^rain/ }).first().click();
    await t.untilSelected(await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]));
  });
  // A companion that does not know the page answers none of its scripts.
  await onHost(t, config, async (other) => {
    t.allow(/CORS|ERR_FAILED|Access-Control/);
    await t.page.goto(`${other.url}/?renderer=${t.renderer}&table=weather`);
    await t.page.getByRole('heading', { name: 'weather cannot be opened' }).waitFor();
    await t.shot('foreign-companion');
  });
}, raster);

scenario('a file outlives the worker that read it, and one dropped early is opened', async (t) => {
  t.allow(/panicked|broken on purpose|unreachable|RuntimeError/);
  await t.page.addInitScript(() => {
    // As a hand would that is quicker than the page: the first drop it listens for.
    const listen = globalThis.addEventListener;
    globalThis.addEventListener = function (kind, ...rest) {
      listen.call(this, kind, ...rest);
      if (kind !== 'drop' || sessionStorage.early) return;
      sessionStorage.early = 'yes';
      const data = new DataTransfer();
      data.items.add(new File(['name,size\nash,3\nelm,4\noak,5\n'], 'trees.csv'));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    };
  });
  await t.open({ debug: 1 });
  await t.page.getByRole('button', { name: 'Table file:trees.csv. Choose another' }).waitFor();
  await t.untilSelected(3);
  await t.page.evaluate(() => globalThis.limn.request(JSON.stringify({ break: { what: 'panic' } })));
  await t.page.getByText(/^The part that holds the data stopped and was started again/).waitFor();
  await t.page.getByRole('option', { name: /^elm/ }).first().click();
  await t.untilSelected(1);
}, raster);

scenario('a large text says how far it is looked at, and is given up at a press', async (t) => {
  await t.open({});
  const data = await t.page.evaluateHandle(() => {
    const lines = Array.from({ length: 100_000 }, (_, nth) => `${nth},${nth / 7},name ${nth % 90},2024-01-${String((nth % 28) + 1).padStart(2, '0')}\n`).join('');
    const data = new DataTransfer();
    data.items.add(new File(['id,share,name,day\n', ...Array.from({ length: 90 }, () => lines)], 'large.csv'));
    return data;
  });
  await t.page.dispatchEvent('body', 'dragover', { dataTransfer: data });
  await t.page.dispatchEvent('body', 'drop', { dataTransfer: data });
  const bar = t.page.getByRole('progressbar', { name: 'Finding the columns and their types …' });
  await bar.waitFor();
  const share = async () => Number(await bar.getAttribute('aria-valuenow'));
  const before = await share();
  await t.until('it moves on', async () => (await share()) > before);
  await t.shot('looking');
  await t.page.getByRole('button', { name: 'Stop', exact: true }).click();
  await t.page.getByRole('heading', { name: 'file:large.csv cannot be opened' }).waitFor();
  await t.page.getByText('cancelled').waitFor();
  // Another one is opened as ever.
  await drop(t, 'movies.parquet', sample(t, 'movies.parquet'));
  await t.untilSelected(await t.countOf('movies'));
}, raster);
