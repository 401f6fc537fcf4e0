// Limn's side of the benches, in one of its own pages: a worker of its own, spoken to by
// the protocol of app/src/protocol.rs. Times run from the request to the reply, or, for
// pictures, to the message that they are on their canvas whole.
(() => {
  const at = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
  const spread = (times) => ({ median: at(times, 0.5), p95: at(times, 0.95) });

  // A worker, and promises of its replies.
  function connect(script) {
    const worker = new Worker(script, { type: 'module' });
    const waiting = [];
    const failures = [];
    worker.onmessage = ({ data }) => {
      const reply = JSON.parse(data);
      for (const entry of [...waiting]) {
        if (entry.wanted(reply)) {
          waiting.splice(waiting.indexOf(entry), 1);
          entry.done(reply);
        }
      }
      if (reply.panicked || reply.notice) failures.push(JSON.stringify(reply));
    };
    worker.onerror = (error) => failures.push(error.message);
    // A worker that says nothing is told of, rather than waited for.
    const reply = (wanted) => new Promise((done, failed) => {
      const late = setTimeout(() => failed(new Error(`the worker did not answer ${wanted}; it said ${failures}`)), 60_000);
      waiting.push({ wanted, done: (answer) => { clearTimeout(late); done(answer); } });
    });
    const send = (request, object) => {
      const text = JSON.stringify(request);
      if (object) worker.postMessage([text, object], [object]);
      else worker.postMessage(text);
    };
    const start = { api: location.origin, reader: null, budget_bytes: 4e9, renderer: 'raster', dark: false, debug: true };
    send({ start });
    const load = async (table, columns) => {
      const began = performance.now();
      const over = reply(({ progress }) => progress && progress.state !== 'loading');
      send({ load: { table, version: null, columns } });
      const { state } = (await over).progress;
      if (state !== 'complete') throw new Error(JSON.stringify(state));
      return performance.now() - began;
    };
    let generation = 0;
    const show = async (clauses, views) => {
      generation += 1;
      const asked = generation;
      const answer = reply(({ views }) => views && views.generation === asked);
      send({ show: { generation, clauses, views } });
      return (await answer).views;
    };
    const drawn = (view) => reply((message) => message.drawn?.view === view);
    return { worker, send, reply, load, show, drawn, failures };
  }

  const between = (column, low, high) => ({
    id: `column:${column}`, predicate: { column, op: 'between', value: [low, high] },
  });

  // W1: a brush over one column moves the histograms of four others.
  async function brush({ script, table, views, active, bins, windows }) {
    const limn = connect(script);
    const load = await limn.load(table, [...views.map(({ column }) => column), active]);
    const marks = views.map(({ column, domain }, id) => ({ id, mark: { histogram: { column, bins, domain } } }));
    const first = performance.now();
    await limn.show([between(active, 0, 24)], marks);
    const build = performance.now() - first;
    // As when the pointer comes to the control: the column is ranked first.
    const ready = limn.reply(({ prepared }) => prepared && prepared.column === active);
    const before = performance.now();
    limn.send({ approach: { column: active } });
    await ready;
    const cube = performance.now() - before;
    const times = [], inside = [], counts = [];
    for (const [low, high] of windows) {
      const from = performance.now();
      const answer = await limn.show([between(active, low, high)], marks);
      times.push(performance.now() - from);
      inside.push(answer.elapsed_millis);
      counts.push(answer.results.map(({ result }) => result.histogram.counts));
    }
    // Another filter came, which all rows pass: the cubes are made anew, of a ranked column.
    const rebuilt = limn.reply(({ prepared }) => prepared && prepared.column === active);
    await limn.show([between(active, 0, 24), between('delay', -1e9, 1e9)], marks);
    const answered = performance.now();
    await rebuilt;
    const recube = performance.now() - answered;
    // Another clause moves, which nothing was prepared for.
    const other = [];
    for (let step = 0; step < 12; step += 1) {
      const from = performance.now();
      await limn.show([between(active, 4, 12), between('delay', step, 40 + step)], marks);
      other.push(performance.now() - from);
    }
    limn.worker.terminate();
    return { load, build, cube, recube, ...spread(times), inside: at(inside, 0.5), other: spread(other), counts, failures: limn.failures };
  }

  // W2 to W6: a scatter of all rows under a brush, a lasso, the pointer, pans, and the rows.
  async function explore({ script, table, width, height, windows, lassos, probes, pages }) {
    const limn = connect(script);
    const columns = ['x', 'y', 'hour', 'price'];
    const load = await limn.load(table, columns);
    const canvas = document.createElement('canvas');
    const first = limn.drawn(0);
    limn.send({ attach_canvas: { view: 0, width, height, pixel_ratio: 1 } }, canvas.transferControlToOffscreen());
    const views = [{ id: 0, mark: { scatter: { x: 'x', y: 'y', color: null, look: '' } } }];
    let from = performance.now();
    await limn.show([], views);
    await first;
    const firstPicture = performance.now() - from;
    // Once more as a frame that nothing is known of yet.
    const viewport = { x: [-14, 14], y: [-14, 14] };
    const frame = async (wanted) => {
      const done = limn.drawn(0);
      const began = performance.now();
      limn.send({ set_viewport: { view: 0, viewport: wanted } });
      await done;
      return performance.now() - began;
    };
    const pans = [];
    for (let step = 1; step <= 20; step += 1) {
      const move = step * 0.05;
      pans.push(await frame({ x: [-14 + move, 14 + move], y: viewport.y }));
    }
    await frame(viewport);

    const masks = [], pictures = [], brushed = [];
    for (const [low, high] of windows) {
      const done = limn.drawn(0);
      from = performance.now();
      const answer = await limn.show([between('hour', low, high)], views);
      masks.push(performance.now() - from);
      brushed.push(answer.selected);
      await done;
      pictures.push(performance.now() - from);
    }

    const lassoed = [], lassoTimes = [];
    for (const polygon of lassos) {
      const clause = { id: 'view:0', predicate: { columns: ['x', 'y'], op: 'within', value: polygon } };
      // As of the brush above: the picture of the one before is no part of it.
      const done = limn.drawn(0);
      from = performance.now();
      lassoed.push((await limn.show([clause], views)).selected);
      lassoTimes.push(performance.now() - from);
      await done;
    }
    await limn.show([], views);

    const found = [], hovers = [];
    const hover = async ([x, y]) => {
      const answer = limn.reply(({ hovered }) => hovered);
      from = performance.now();
      limn.send({ hover: { view: 0, x, y } });
      const { row } = (await answer).hovered;
      hovers.push(performance.now() - from);
      found.push(row && [row.row_number, row.x, row.y]);
    };
    for (const probe of probes) await hover(probe);
    const [hoverIndex] = hovers;

    const rows = [], rowTimes = [];
    const page = async (order_by, firstRow, count, request) => {
      const answer = limn.reply((message) => message.rows?.request === request);
      from = performance.now();
      limn.send({ rows: { request, order_by, columns: ['price'], first: firstRow, count } });
      const { cells, row_numbers, error } = (await answer).rows;
      if (error) throw new Error(error);
      const time = performance.now() - from;
      return { time, cells, row_numbers };
    };
    for (const [nth, firstRow] of pages.entries()) {
      const { time, row_numbers } = await page([{ column: 'price', descending: true }], firstRow, 100, nth + 1);
      rowTimes.push(time);
      rows.push(row_numbers);
    }
    const scrolls = [];
    for (let step = 0; step < 20; step += 1) {
      const { time } = await page([], step * 40_000, 60, 1000 + step);
      scrolls.push(time);
    }
    limn.worker.terminate();
    return {
      load, firstPicture, pan: spread(pans), mask: spread(masks), picture: spread(pictures), lasso: spread(lassoTimes),
      hoverIndex, hover: spread(hovers.slice(1)), sort: rowTimes[0], page: spread(rowTimes.slice(1)), scroll: spread(scrolls),
      brushed, lassoed, found, rows, failures: limn.failures,
    };
  }

  // W8: a density of 512 cells a side is counted and drawn, under a brush. What is said of it
  // when it rests, how many points are in view and how many in the fullest cell, is what
  // was counted.
  async function grid({ script, table, active, grid: { side, x, y }, windows }) {
    const limn = connect(script);
    await limn.load(table, ['x', 'y', active]);
    const size = { width: 2 * side, height: 2 * side, pixel_ratio: 1 };
    const views = [{ id: 0, mark: { scatter: { x: 'x', y: 'y', color: null, look: 'density' } } }];
    const canvas = document.createElement('canvas').transferControlToOffscreen();
    let done = limn.drawn(0);
    limn.send({ attach_canvas: { view: 0, ...size } }, canvas);
    limn.send({ set_viewport: { view: 0, viewport: { x, y } } });
    await limn.show([between(active, 0, 24)], views);
    await done;
    const times = [], told = [];
    for (const [low, high] of windows) {
      const relief = limn.reply((message) => message.relief?.view === 0 && message.relief.relief);
      done = limn.drawn(0);
      const from = performance.now();
      await limn.show([between(active, low, high)], views);
      await done;
      times.push(performance.now() - from);
      const { points, density } = (await relief).relief.relief;
      told.push({ points, most: density.most });
    }
    limn.worker.terminate();
    return { ...spread(times), told, failures: limn.failures };
  }

  window.limnBench = { brush, explore, grid };
})();
