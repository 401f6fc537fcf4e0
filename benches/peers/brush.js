// The peers' side of the browser benches: the same four histograms under the same brush,
// by crossfilter2 and by DuckDB-WASM, on the bytes that Limn was served from.
import * as duckdb from '@duckdb/duckdb-wasm';
import { tableFromIPC } from 'apache-arrow';
import crossfilter from 'crossfilter2';
import { spread } from './spread.js';

// Each bin counts [low + k·width, low + (k + 1)·width), the last one its end too; what is
// below goes to -1, what is above to `bins`: crossfilter's groups have to ascend.
const binOf = (value, [low, high], bins) => {
  if (value === high) return bins - 1;
  return Math.min(bins, Math.max(-1, Math.floor(((value - low) / (high - low)) * bins)));
};

window.crossfilterBench = async ({ url, active, views, bins, windows }) => {
  const table = tableFromIPC(new Uint8Array(await (await fetch(url)).arrayBuffer()));
  const columns = {};
  for (const { column } of [...views, { column: active }]) columns[column] = table.getChild(column).toArray();
  const began = performance.now();
  const filter = crossfilter(Array.from({ length: table.numRows }, (_, row) => row));
  const brushed = filter.dimension((row) => columns[active][row]);
  const groups = views.map(({ column, domain }) =>
    filter.dimension((row) => columns[column][row]).group((value) => binOf(value, domain, bins)));
  const build = performance.now() - began;
  const times = [];
  const counts = [];
  for (const [low, high] of windows) {
    const step = performance.now();
    // Limn and DuckDB round the ends to the column's f32. Crossfilter's ranges leave their
    // upper end out.
    brushed.filterRange([Math.fround(low), Math.fround(high) + 1e-9]);
    const answers = groups.map((group) => group.all());
    times.push(performance.now() - step);
    counts.push(answers.map((all) => {
      const line = new Array(bins).fill(0);
      for (const { key, value } of all) if (key >= 0 && key < bins) line[key] = value;
      return line;
    }));
  }
  return { build, ...spread(times), counts };
};

window.duckdbBench = async ({ url, active, views, bins, windows }) => {
  const base = new URL('node_modules/@duckdb/duckdb-wasm/dist/', location.href).href;
  const worker = new Worker(`${base}duckdb-browser-eh.worker.js`);
  const db = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), worker);
  await db.instantiate(`${base}duckdb-eh.wasm`);
  const connection = await db.connect();
  const began = performance.now();
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  await connection.insertArrowFromIPCStream(bytes, { name: 't', create: true });
  const build = performance.now() - began;
  const times = [];
  const counts = [];
  for (const [low, high] of windows) {
    const step = performance.now();
    const lines = [];
    for (const { column, domain: [from, to] } of views) {
      const answer = await connection.query(
        `select least(floor((${column}::double - (${from})) / ${to - from} * ${bins}), ${bins - 1})::int k, count(*)::int n ` +
        `from t where ${active} >= ${low} and ${active} <= ${high} and ${column} between ${from} and ${to} group by k`);
      const line = new Array(bins).fill(0);
      const k = answer.getChild('k').toArray();
      const n = answer.getChild('n').toArray();
      for (let i = 0; i < k.length; i++) line[k[i]] = n[i];
      lines.push(line);
    }
    times.push(performance.now() - step);
    counts.push(lines);
  }
  await connection.close();
  await db.terminate();
  return { build, ...spread(times), counts };
};
