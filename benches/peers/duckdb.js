// DuckDB-WASM as the peers' benches open it: one engine in a worker of its own, the rows
// of the same Arrow stream in table t.
import * as duckdb from '@duckdb/duckdb-wasm';

export async function engine() {
  const base = new URL('node_modules/@duckdb/duckdb-wasm/dist/', location.href).href;
  const worker = new Worker(`${base}duckdb-browser-eh.worker.js`);
  const db = new duckdb.AsyncDuckDB(new duckdb.VoidLogger(), worker);
  await db.instantiate(`${base}duckdb-eh.wasm`);
  const connection = await db.connect();
  await connection.query('select 1');
  const close = async () => {
    await connection.close();
    await db.terminate();
  };
  return { db, connection, close };
}

// The same with the rows; `build` is from the request to the table.
export async function withRows(url) {
  const opened = await engine();
  const began = performance.now();
  const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
  await opened.connection.insertArrowFromIPCStream(bytes, { name: 't', create: true });
  return { ...opened, build: performance.now() - began };
}

// Bins [low + k·width, low + (k + 1)·width), the last one its end too.
export const binOf = (column, [low, high], bins) =>
  `least(floor((${column}::double - (${low})) / ${high - low} * ${bins}), ${bins - 1})::int`;

// Counts by bin from two columns of an answer.
export function lineOf(answer, bins) {
  const line = new Array(bins).fill(0);
  const k = answer.getChild('k').toArray();
  const n = answer.getChild('n').toArray();
  for (let i = 0; i < k.length; i += 1) if (k[i] >= 0 && k[i] < bins) line[k[i]] = Number(n[i]);
  return line;
}
