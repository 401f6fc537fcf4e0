// The peers' side of the explorer's benches: who is under the pointer, who is in the
// lasso, which rows come first, how long a frame takes; on the bytes that Limn has.
import KDBush from 'kdbush';
import createScatterplot from 'regl-scatterplot';
import { withRows } from './duckdb.js';
import { columnsOf } from './rows.js';
import { spread } from './spread.js';

// The nearest point by an index of pixels, within the reach that Limn's pointer has.
window.kdbushBench = async ({ url, probes, viewport, width, height, reach }) => {
  const { x, y } = await columnsOf(url, ['x', 'y']);
  const across = (value) => ((value - viewport.x[0]) / (viewport.x[1] - viewport.x[0])) * width;
  const down = (value) => height - ((value - viewport.y[0]) / (viewport.y[1] - viewport.y[0])) * height;
  const began = performance.now();
  const index = new KDBush(x.length, 64, Float32Array);
  for (let row = 0; row < x.length; row += 1) index.add(across(x[row]), down(y[row]));
  index.finish();
  const build = performance.now() - began;
  const times = [];
  const found = [];
  // No nearest in KDBush: a small radius first, the whole reach where that finds nobody.
  const nearest = ([px, py]) => {
    let best = Infinity;
    for (const radius of [1, reach]) {
      for (const row of index.within(px, py, radius)) {
        best = Math.min(best, Math.hypot(across(x[row]) - px, down(y[row]) - py));
      }
      if (best <= radius) break;
    }
    return best <= reach ? best : null;
  };
  // Less than the clock tells: each is asked for often.
  const TIMES = 50;
  for (const probe of probes) {
    found.push(nearest(probe));
    const from = performance.now();
    for (let nth = 0; nth < TIMES; nth += 1) nearest(probe);
    times.push((performance.now() - from) / TIMES);
  }
  return { build, ...spread(times), found };
};

// Even-odd over every row, in one plain loop: how many are inside.
window.countInside = async ({ url, lassos }) => {
  const { x: xs, y: ys } = await columnsOf(url, ['x', 'y']);
  const times = [];
  const counts = lassos.map((polygon) => {
    const from = performance.now();
    let count = 0;
    for (let row = 0; row < xs.length; row += 1) {
      const x = xs[row];
      const y = ys[row];
      let inside = false;
      for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
        const [xi, yi] = polygon[i];
        const [xj, yj] = polygon[j];
        if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
      }
      count += inside;
    }
    times.push(performance.now() - from);
    return count;
  });
  return { ...spread(times), counts };
};

// Frames, and a lasso, in WebGL (by software where there is no GPU). It takes its own
// coordinates from -1 to 1.
window.reglBench = async ({ url, viewport, width, height, lassos, frames }) => {
  const { x: xs, y: ys } = await columnsOf(url, ['x', 'y']);
  const scaled = (values, [low, high]) => Float32Array.from(values, (value) => ((value - low) / (high - low)) * 2 - 1);
  const [x, y] = [scaled(xs, viewport.x), scaled(ys, viewport.y)];
  const canvas = document.createElement('canvas');
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  document.body.append(canvas);
  const began = performance.now();
  const plot = createScatterplot({ canvas, width, height, pointSize: 2, opacity: 0.3 });
  await plot.draw({ x, y });
  const firstPicture = performance.now() - began;
  const gl = plot.get('regl')._gl;
  const pixel = new Uint8Array(4);
  // Reading a pixel waits until the frame is there.
  const finish = () => gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
  const camera = plot.get('camera');
  const pans = [];
  for (let step = 0; step < frames; step += 1) {
    const from = performance.now();
    const drawn = new Promise((done) => plot.subscribe('draw', done, 1));
    camera.pan([step % 2 ? 0.01 : -0.01, 0]);
    plot.redraw();
    await drawn;
    finish();
    pans.push(performance.now() - from);
  }
  const lassoTimes = [];
  const own = lassos.map((polygon) => polygon.map(([px, py]) => [
    ((px - viewport.x[0]) / (viewport.x[1] - viewport.x[0])) * 2 - 1,
    ((py - viewport.y[0]) / (viewport.y[1] - viewport.y[0])) * 2 - 1,
  ]));
  const lassoed = [];
  for (const polygon of own.slice(0, frames)) {
    const from = performance.now();
    plot.lassoSelect(polygon, { isGl: true });
    lassoed.push(plot.get('selectedPoints').length);
    lassoTimes.push(performance.now() - from);
  }
  plot.destroy();
  canvas.remove();
  return { firstPicture, pan: spread(pans), lasso: spread(lassoTimes), lassoed };
};

// The points under a brush, the rows in order, and a lasso, by SQL.
window.duckdbExplore = async ({ url, windows, pages, lassos }) => {
  const { connection, close } = await withRows(url);
  const timed = async (sql) => {
    const from = performance.now();
    const answer = await connection.query(sql);
    return [performance.now() - from, answer];
  };
  const masks = [], brushed = [];
  for (const [low, high] of windows) {
    const [time, answer] = await timed(`select x, y from t where hour >= ${low}::float and hour <= ${high}::float`);
    masks.push(time);
    brushed.push(answer.numRows);
  }
  const rows = [], rowTimes = [];
  for (const first of pages) {
    const [time, answer] = await timed(`select id from t order by price desc nulls last, id limit 100 offset ${first}`);
    rowTimes.push(time);
    rows.push(Array.from(answer.getChild('id').toArray(), Number));
  }
  const crossings = (polygon) => polygon.map(([xi, yi], i) => {
    const [xj, yj] = polygon[(i + polygon.length - 1) % polygon.length];
    return `(case when ((${yi} > y) <> (${yj} > y)) and x < (${xj - xi}) * (y - (${yi})) / (${yj - yi}) + (${xi}) then 1 else 0 end)`;
  });
  const lassoTimes = [], lassoed = [];
  for (const polygon of lassos) {
    const [time, answer] = await timed(
      `select count(*)::int n from (select x::double x, y::double y from t) where (${crossings(polygon).join(' + ')}) % 2 = 1`);
    lassoTimes.push(time);
    lassoed.push(answer.getChild('n').toArray()[0]);
  }
  await close();
  return { mask: spread(masks), sort: rowTimes[0], page: spread(rowTimes), lasso: spread(lassoTimes), brushed, rows, lassoed };
};
