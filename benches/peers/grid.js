// Counts on a grid of a filter's points: by SQL, by Arquero, and in one plain loop over
// typed arrays.
import * as aq from 'arquero';
import { withRows } from './duckdb.js';
import { columnsOf } from './rows.js';
import { spread } from './spread.js';

window.duckdbGrid = async ({ url, active, grid, windows }) => {
  const duck = await withRows(url);
  const { side, x: [left, right], y: [bottom, top] } = grid;
  const of = (column, from, to) => `floor((${column}::double - (${from})) / ${to - from} * ${side})::int`;
  const found = await timed(windows, async (low, high) => {
    const answer = await duck.connection.query(
      `select gx + ${side} * gy k, count(*)::int n from (select ${of('x', left, right)} gx, ${of('y', bottom, top)} gy from t ` +
      `where ${active} >= ${low} and ${active} <= ${high}) where gx between 0 and ${side - 1} and gy between 0 and ${side - 1} group by k`);
    const cells = new Uint32Array(side * side);
    const [k, n] = ['k', 'n'].map((name) => answer.getChild(name).toArray());
    for (let i = 0; i < k.length; i += 1) cells[k[i]] = n[i];
    return cells;
  });
  await duck.close();
  return found;
};

// Only as many counts as there are cells with points in them.
window.arqueroGrid = async ({ url, active, grid, windows }) => {
  const table = aq.table(await columnsOf(url, ['x', 'y', active]));
  const { side, x: [left, right], y: [bottom, top] } = grid;
  return timed(windows, (low, high) => {
    const [least, most] = [Math.fround(low), Math.fround(high)];
    const cell = aq.escape((row) => {
      const [x, y] = [Math.floor(((row.x - left) / (right - left)) * side), Math.floor(((row.y - bottom) / (top - bottom)) * side)];
      return x >= 0 && x < side && y >= 0 && y < side ? y * side + x : -1;
    });
    const grouped = table.filter(aq.escape((row) => row[active] >= least && row[active] <= most)).groupby({ k: cell }).count();
    const cells = new Uint32Array(side * side);
    const [k, n] = [grouped.array('k'), grouped.array('count')];
    for (let i = 0; i < k.length; i += 1) if (k[i] >= 0) cells[k[i]] = n[i];
    return cells;
  });
};

window.loopGrid = async ({ url, active, grid, windows }) => {
  const { x: xs, y: ys, [active]: values } = await columnsOf(url, ['x', 'y', active]);
  const { side, x: [left, right], y: [bottom, top] } = grid;
  return timed(windows, (low, high) => {
    const [least, most] = [Math.fround(low), Math.fround(high)];
    const cells = new Uint32Array(side * side);
    for (let row = 0; row < values.length; row += 1) {
      if (values[row] < least || values[row] > most) continue;
      const x = Math.floor(((xs[row] - left) / (right - left)) * side);
      const y = Math.floor(((ys[row] - bottom) / (top - bottom)) * side);
      if (x >= 0 && x < side && y >= 0 && y < side) cells[y * side + x] += 1;
    }
    return cells;
  });
};

// How long each window's counts take, and what they were.
async function timed(windows, cellsOf) {
  const times = [];
  const digests = [];
  for (const [low, high] of windows) {
    const from = performance.now();
    const cells = await cellsOf(low, high);
    times.push(performance.now() - from);
    digests.push(digest(cells));
  }
  return { ...spread(times), digests };
}

// A grid in a few numbers that another grid has too only if it is the same.
function digest(cells) {
  let total = 0, most = 0, mixed = 0;
  for (let k = 0; k < cells.length; k += 1) {
    total += cells[k];
    most = Math.max(most, cells[k]);
    mixed = (Math.imul(mixed, 31) + cells[k]) >>> 0;
  }
  return [total, most, mixed];
}
