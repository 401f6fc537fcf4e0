// Counts on a grid of a filter's points: by SQL, and in one plain loop over typed arrays.
import { withRows } from './duckdb.js';
import { gridDigest } from './arquero.js';
import { columnsOf } from './rows.js';
import { spread } from './spread.js';

window.duckdbGrid = async ({ url, active, grid, windows }) => {
  const duck = await withRows(url);
  const { side, x: [left, right], y: [bottom, top] } = grid;
  const of = (column, from, to) => `floor((${column}::double - (${from})) / ${to - from} * ${side})::int`;
  const times = [];
  const digests = [];
  for (const [low, high] of windows) {
    const from = performance.now();
    const answer = await duck.connection.query(
      `select gx + ${side} * gy k, count(*)::int n from (select ${of('x', left, right)} gx, ${of('y', bottom, top)} gy from t ` +
      `where ${active} >= ${low} and ${active} <= ${high}) where gx between 0 and ${side - 1} and gy between 0 and ${side - 1} group by k`);
    const cells = new Uint32Array(side * side);
    const [k, n] = ['k', 'n'].map((name) => answer.getChild(name).toArray());
    for (let i = 0; i < k.length; i += 1) cells[k[i]] = n[i];
    times.push(performance.now() - from);
    digests.push(gridDigest(cells));
  }
  await duck.close();
  return { ...spread(times), digests };
};

window.loopGrid = async ({ url, active, grid, windows }) => {
  const { x: xs, y: ys, [active]: values } = await columnsOf(url, ['x', 'y', active]);
  const { side, x: [left, right], y: [bottom, top] } = grid;
  const times = [];
  const digests = [];
  for (const [low, high] of windows) {
    const from = performance.now();
    const [least, most] = [Math.fround(low), Math.fround(high)];
    const cells = new Uint32Array(side * side);
    for (let row = 0; row < values.length; row += 1) {
      if (values[row] < least || values[row] > most) continue;
      const x = Math.floor(((xs[row] - left) / (right - left)) * side);
      const y = Math.floor(((ys[row] - bottom) / (top - bottom)) * side);
      if (x >= 0 && x < side && y >= 0 && y < side) cells[y * side + x] += 1;
    }
    times.push(performance.now() - from);
    digests.push(gridDigest(cells));
  }
  return { ...spread(times), digests };
};
