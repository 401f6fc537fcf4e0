// W10: DuckDB-WASM from a cold start to its first answer, since the address was opened.
import { engine } from './duckdb.js';

window.boot = async () => {
  await engine();
  return performance.now();
};
