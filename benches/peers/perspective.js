// Perspective's engine, called without its viewer: the brush as a filtered view grouped by
// bin, rows in order, pages of rows.
import { start } from './perspective_start.js';
import { spread } from './spread.js';

async function withRows(url) {
  const client = await start();
  const began = performance.now();
  const table = await client.table(await (await fetch(url)).arrayBuffer());
  await table.size();
  return { table, build: performance.now() - began };
}

window.perspectiveBench = async ({ url, active, views, bins, windows }) => {
  const { table, build } = await withRows(url);
  const times = [];
  const counts = [];
  for (const [low, high] of windows) {
    const from = performance.now();
    const lines = [];
    for (const { column, domain: [least, most] } of views) {
      const bin = `min(floor(("${column}" - (${least})) / ${most - least} * ${bins}), ${bins - 1})`;
      const view = await table.view({
        group_by: ['bin'], columns: ['id'], aggregates: { id: 'count' }, expressions: { bin },
        filter: [[active, '>=', Math.fround(low)], [active, '<=', Math.fround(high)], [column, '>=', least], [column, '<=', most]],
      });
      const { __ROW_PATH__: paths, id } = await view.to_columns();
      const line = new Array(bins).fill(0);
      paths.forEach(([k], nth) => { if (k !== undefined) line[k] = id[nth]; });
      lines.push(line);
      await view.delete();
    }
    times.push(performance.now() - from);
    counts.push(lines);
  }
  return { build, ...spread(times), counts };
};

// A view in this order is its sort; its pages then come from it.
window.perspectiveRows = async ({ url, pages }) => {
  const { table } = await withRows(url);
  const rows = [];
  const times = [];
  let from = performance.now();
  const view = await table.view({ columns: ['id'], sort: [['price', 'desc'], ['id', 'asc']] });
  for (const first of pages) {
    const { id } = await view.to_columns({ start_row: first, end_row: first + 100 });
    times.push(performance.now() - from);
    rows.push(id);
    from = performance.now();
  }
  const plain = await table.view();
  const scrolls = [];
  for (let step = 0; step < 20; step += 1) {
    from = performance.now();
    await plain.to_columns({ start_row: step * 40_000, end_row: step * 40_000 + 60 });
    scrolls.push(performance.now() - from);
  }
  return { sort: times[0], page: spread(times.slice(1)), scroll: spread(scrolls), rows };
};
