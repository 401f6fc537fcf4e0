// The peers' side of the browser benches: the same four histograms under the same brush,
// by crossfilter2 and by DuckDB-WASM, on the bytes that Limn was served from.
import crossfilter from 'crossfilter2';
import { binOf as sqlBin, lineOf, withRows } from './duckdb.js';
import { columnsOf } from './rows.js';
import { spread } from './spread.js';

// Each bin counts [low + k·width, low + (k + 1)·width), the last one its end too; what is
// below goes to -1, what is above to `bins`: crossfilter's groups have to ascend.
const binOf = (value, [low, high], bins) => {
  if (value === high) return bins - 1;
  return Math.min(bins, Math.max(-1, Math.floor(((value - low) / (high - low)) * bins)));
};

window.crossfilterBench = async ({ url, active, views, bins, windows }) => {
  const columns = await columnsOf(url, [active, ...views.map(({ column }) => column)]);
  const began = performance.now();
  const filter = crossfilter(Array.from({ length: columns[active].length }, (_, row) => row));
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
  const duck = await withRows(url);
  const times = [];
  const counts = [];
  for (const [low, high] of windows) {
    const step = performance.now();
    const lines = [];
    for (const { column, domain } of views) {
      const answer = await duck.connection.query(
        `select ${sqlBin(column, domain, bins)} k, count(*)::int n ` +
        `from t where ${active} >= ${low} and ${active} <= ${high} and ${column} between ${domain[0]} and ${domain[1]} group by k`);
      lines.push(lineOf(answer, bins));
    }
    times.push(performance.now() - step);
    counts.push(lines);
  }
  await duck.close();
  return { build: duck.build, ...spread(times), counts };
};
