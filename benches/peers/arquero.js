// Arquero, a table of columns in JavaScript: the brush, the rows in order.
import * as aq from 'arquero';
import { spread } from './spread.js';
import { columnsOf } from './rows.js';

// Counts by bin of the rows between two values.
window.arqueroBench = async ({ url, active, views, bins, windows }) => {
  const names = [active, ...views.map(({ column }) => column)];
  const began = performance.now();
  const table = aq.table(await columnsOf(url, names));
  const build = performance.now() - began;
  const times = [];
  const counts = [];
  for (const [low, high] of windows) {
    const from = performance.now();
    const [least, most] = [Math.fround(low), Math.fround(high)];
    const passing = table.filter(aq.escape((row) => row[active] >= least && row[active] <= most));
    const lines = views.map(({ column, domain: [from, to] }) => {
      const bin = aq.escape((row) => {
        const value = row[column];
        return value === to ? bins - 1 : Math.floor(((value - from) / (to - from)) * bins);
      });
      const line = new Array(bins).fill(0);
      for (const { k, count } of passing.groupby({ k: bin }).count().objects()) if (k >= 0 && k < bins) line[k] = count;
      return line;
    });
    times.push(performance.now() - from);
    counts.push(lines);
  }
  return { build, ...spread(times), counts };
};

// Pages of the rows by price; its sort is kept by nobody, so every page sorts.
window.arqueroRows = async ({ url, pages }) => {
  const table = aq.table(await columnsOf(url, ['id', 'price']));
  const times = [];
  const rows = [];
  for (const first of pages) {
    const from = performance.now();
    const page = table.orderby(aq.desc('price'), 'id').slice(first, first + 100).array('id');
    times.push(performance.now() - from);
    rows.push(Array.from(page, Number));
  }
  return { sort: times[0], page: spread(times.slice(1)), rows };
};
