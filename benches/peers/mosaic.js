// Mosaic over DuckDB-WASM: its coordinator, its cross-filter and its tables of counts by
// pixel of the brushed column, made when the pointer enters, driven without its plots.
import { Coordinator, Selection, clauseInterval, makeClient, wasmConnector } from '@uwdata/mosaic-core';
import { Query, column, count, sql } from '@uwdata/mosaic-sql';
import { spread } from './spread.js';
import { binOf, lineOf, withRows } from './duckdb.js';

// As wide as the histogram that is brushed: what its brush can tell apart.
const PIXELS = 300;

window.mosaicBench = async ({ url, active, domain, views, bins, windows }) => {
  const duck = await withRows(url);
  const coordinator = new Coordinator(wasmConnector({ duckdb: duck.db, connection: duck.connection }), { logger: null });
  const brush = Selection.crossfilter();
  let waiting = null;
  const answers = [];
  const given = (nth) => (data) => {
    answers[nth] = data;
    waiting?.left.delete(nth);
    if (waiting && waiting.left.size === 0) waiting.done();
  };
  const failed = (error) => waiting?.failed(error);
  // All histograms have their counts.
  const all = () => new Promise((done, failed) => { waiting = { done, failed, left: new Set(views.keys()) }; });
  const first = all();
  views.forEach(({ column: name, domain: [low, high] }, nth) => makeClient({
    coordinator,
    selection: brush,
    query: (filter) => Query.from('t')
      .select({ k: sql`least(floor((${column(name)}::double - (${low})) / ${high - low} * ${bins}), ${bins - 1})::int`, n: count() })
      .where(filter)
      .groupby('k'),
    queryResult: given(nth),
    queryError: failed,
  }));
  await first;

  const source = {};
  const scale = { type: 'linear', domain, range: [0, PIXELS] };
  const clause = (ends) => clauseInterval(column(active), ends, { source, scale });
  // As its brush does when the pointer comes over it.
  const entering = performance.now();
  brush.activate(clause([domain[0], domain[1]]));
  await Promise.all([...coordinator.preaggregator.entries.values()].map((entry) => entry.result));
  const cube = performance.now() - entering;
  if (coordinator.preaggregator.entries.size !== views.length) throw new Error('Mosaic prepared nothing');

  const times = [];
  const counts = [];
  for (const ends of windows) {
    const from = performance.now();
    const told = all();
    brush.update(clause(ends));
    await told;
    times.push(performance.now() - from);
    counts.push(answers.map((answer) => lineOf(answer, bins)));
  }

  // Its brush ends at whole pixels: DuckDB is asked for the same ones, over all rows.
  const pixel = (value) => `floor(${PIXELS / (domain[1] - domain[0])}::double * (${value} - ${domain[0]}::double))::int`;
  for (const [nth, [low, high]] of windows.entries()) {
    if (nth % 8) continue;
    for (const [v, view] of views.entries()) {
      const answer = await duck.connection.query(
        `select ${binOf(view.column, view.domain, bins)} k, count(*)::int n from t ` +
        `where ${pixel(active)} between ${pixel(low)} and ${pixel(high)} group by k`);
      const expected = lineOf(answer, bins);
      if (String(expected) !== String(counts[nth][v])) {
        throw new Error(`Mosaic, step ${nth}, ${view.column}: ${counts[nth][v]} against ${expected}`);
      }
    }
  }
  await duck.close();
  return { build: duck.build, cube, ...spread(times) };
};
