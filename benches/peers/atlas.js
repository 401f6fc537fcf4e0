// embedding-atlas' components by WebGL 2 (releases since 0.24 draw by WebGPU with f16 alone,
// which needs a GPU): frames of its view, its whole page, its pointer and its lasso.
import { Coordinator, Selection, makeClient, wasmConnector } from '@uwdata/mosaic-core';
import { Query, count } from '@uwdata/mosaic-sql';
import { EmbeddingAtlas, EmbeddingView, EmbeddingViewMosaic } from 'embedding-atlas';
import { withRows } from './duckdb.js';
import { columnsOf } from './rows.js';
import { spread } from './spread.js';

const pause = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));

// Where points are drawn, and how often: as many in one call as there are rows.
function watchDraws() {
  const watched = { gl: null, nDraws: 0 };
  const { prototype } = WebGL2RenderingContext;
  for (const name of ['drawArrays', 'drawArraysInstanced', 'drawElements', 'drawElementsInstanced']) {
    const plain = prototype[name];
    prototype[name] = function draw(...values) {
      if (Math.max(...values.slice(1).filter(Number.isFinite)) >= 100_000) {
        watched.gl = this;
        watched.nDraws += 1;
      }
      return plain.apply(this, values);
    };
  }
  return watched;
}

const pixel = new Uint8Array(4);
// The points of one more frame are on the canvas: reading a pixel waits for them.
async function drawn(watched, before, millis = 120_000) {
  const late = performance.now() + millis;
  while (watched.nDraws === before) {
    if (performance.now() > late) throw new Error('embedding-atlas drew nothing');
    await pause();
  }
  watched.gl.readPixels(0, 0, 1, 1, watched.gl.RGBA, watched.gl.UNSIGNED_BYTE, pixel);
}

function target(width, height) {
  const element = document.createElement('div');
  element.style.cssText = `width: ${width}px; height: ${height}px; position: absolute; left: 0; top: 0`;
  document.body.append(element);
  return element;
}

// Its viewport keeps the data's own shape, a scale being of the width: as much in height as
// ours shows.
const viewOf = ({ viewport: { x, y }, width, height }, move = 0) =>
  ({ x: (x[0] + x[1]) / 2 + move, y: (y[0] + y[1]) / 2, scale: (2 / (y[1] - y[0])) * (height / width) });

window.atlasFrames = async (work) => {
  const { url, width, height, frames } = work;
  const watched = watchDraws();
  const { x, y } = await columnsOf(url, ['x', 'y']);
  const config = { mode: 'points', autoLabelEnabled: false, downsampleMaxPoints: null };
  const began = performance.now();
  const view = new EmbeddingView(target(width, height), { data: { x, y }, width, height, pixelRatio: 1, config, viewportState: viewOf(work) });
  await drawn(watched, 0);
  const firstPicture = performance.now() - began;
  // What it draws once more of its own accord is not counted.
  for (let before = -1; before !== watched.nDraws;) {
    before = watched.nDraws;
    for (let turn = 0; turn < 5; turn += 1) await pause();
  }
  const pans = [];
  for (let step = 1; step <= frames; step += 1) {
    const before = watched.nDraws;
    const from = performance.now();
    view.update({ viewportState: viewOf(work, step * 0.05) });
    await drawn(watched, before);
    pans.push(performance.now() - from);
  }
  view.destroy();
  return { firstPicture, pan: spread(pans) };
};

// Its whole page from a cold start; the rows come as the Arrow stream that is the quickest
// way into its engine. Times are since the address was opened.
window.atlasPage = async ({ url }) => {
  const watched = watchDraws();
  const duck = await withRows(url);
  const coordinator = new Coordinator(wasmConnector({ duckdb: duck.db, connection: duck.connection }), { logger: null });
  const page = new EmbeddingAtlas(target(1400, 900), {
    coordinator, data: { table: 't', id: 'id', projection: { x: 'x', y: 'y' } }, embeddingViewConfig: { mode: 'points' },
  });
  await drawn(watched, 0);
  const points = performance.now();
  page.destroy();
  return { points };
};

// Its view with a filter that its lasso makes and a count under it, for a hand to use:
// `atlasSaid` holds when which point was told of and which count.
window.atlasByHand = async (work) => {
  const { url, width, height } = work;
  const watched = watchDraws();
  const duck = await withRows(url);
  const coordinator = new Coordinator(wasmConnector({ duckdb: duck.db, connection: duck.connection }), { logger: null });
  const chosen = Selection.crossfilter();
  const said = { points: [], counts: [], since: null };
  window.atlasSaid = said;
  said.outline = () => chosen.clauses[0].value.map(({ x, y }) => [x, y]);
  const note = (list, value) => requestAnimationFrame(() => setTimeout(() => list.push([performance.now(), value])));
  makeClient({
    coordinator,
    selection: chosen,
    query: (filter) => Query.from('t').select({ n: count() }).where(filter),
    queryResult: (answer) => note(said.counts, Number(answer.getChild('n').get(0))),
  });
  new EmbeddingViewMosaic(target(width, height), {
    coordinator, table: 't', x: 'x', y: 'y', identifier: 'id', width, height, pixelRatio: 1, viewportState: viewOf(work),
    config: { mode: 'points', autoLabelEnabled: false, downsampleMaxPoints: null },
    rangeSelection: chosen,
    onTooltip: (point) => { if (point) note(said.points, point.identifier); },
  });
  for (const name of ['pointermove', 'pointerup', 'mousemove', 'mouseup']) {
    window.addEventListener(name, (event) => { said.since = event.timeStamp; }, { capture: true });
  }
  await drawn(watched, 0);
};
