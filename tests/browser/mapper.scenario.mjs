// Vectors mapped in the browser: the mapper's own worker, with no page around it. It gives the
// bits that the host gives, which a test of crate `mapper` holds to the same golden file; it tells
// how far it is, and is cancelled by ending it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scenario } from './harness.mjs';
import { ROOT } from './server.mjs';

const golden = JSON.parse(readFileSync(join(ROOT, 'mapper/src/run/golden.json'), 'utf8'));

// Runs in the page: a request to a new mapper, on vectors made as the golden's are; ended after so
// many messages, or when it is done.
export async function map({ request, until }) {
  const { rows, dimensions } = request;
  let state = 1;
  const next = () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 16;
  };
  const values = new Float32Array(rows * dimensions);
  for (let at = 0; at < values.length; at += 1) {
    const own = (at % dimensions) % 4 === Math.floor(at / dimensions) % 4 ? 16 : 0;
    values[at] = (own + (next() % 64)) / 4;
  }
  values[5 * dimensions] = NaN;

  const hash = (array) => {
    let found = 0xcbf29ce484222325n;
    for (const byte of new Uint8Array(array.buffer)) found = BigInt.asUintN(64, (found ^ BigInt(byte)) * 0x100000001b3n);
    return found.toString(16).padStart(16, '0');
  };
  const script = document.querySelector('script[data-mapper]').dataset.mapper;
  const worker = new Worker(new URL(script, document.baseURI), { type: 'module' });
  const told = [];
  const ended = new Promise((done, fail) => {
    worker.onerror = (event) => fail(new Error(event.message));
    worker.onmessage = ({ data }) => {
      const [text, ...arrays] = Array.isArray(data) ? data : [data];
      const [[kind, tell]] = Object.entries(JSON.parse(text));
      told.push({ kind, ...tell, lengths: arrays.map((array) => array.length), hashes: kind === 'made' ? arrays.map(hash) : [] });
      if (['done', 'failed', 'panicked'].includes(kind) || told.length === until) done();
    };
  });
  worker.postMessage([JSON.stringify(request), values], [values.buffer]);
  await ended;
  worker.terminate();
  const nTold = told.length;
  if (until) await new Promise((done) => setTimeout(done, 300));
  return { told, isSilent: told.length === nTold, isHandedOver: values.length === 0 };
}

scenario(
  'vectors are mapped in the browser, to the bits of the host',
  async (t) => {
    await t.open();
    const run = (request, until = 0) => t.page.evaluate(map, { request, until });

    const { told, isHandedOver } = await run(golden.request);
    assert.deepEqual(told.at(-1).kind, 'done', JSON.stringify(told.at(-1)));
    assert.ok(isHandedOver, 'vectors are handed over, not copied');
    assert.deepEqual(told[0].left_out, { without_vector: 0, not_finite: 1, zero: 0 });
    const made = told.filter(({ kind }) => kind === 'made');
    assert.deepEqual(made.map(({ hashes }) => hashes), golden.hashes);

    const steps = [
      { kind: 'project', algorithm: 'umap' },
      { kind: 'project', algorithm: 'tsne', as: 't' },
    ];
    const layouts = await run({ ...golden.request, steps });
    for (const step of [0, 1]) {
      const own = layouts.told.filter((tell) => tell.kind === 'layout' && tell.step === step);
      assert.ok(own.length > 1, 'layouts are seen on their way');
      assert.ok(own.every(({ lengths }) => lengths[0] === 2 * golden.request.rows));
    }

    const { isSilent } = await run({ ...golden.request, steps }, 4);
    assert.ok(isSilent, 'a mapper that was ended says no more');

    const bad = await run({ ...golden.request, steps: [{ kind: 'cluster', k: 0 }] });
    assert.deepEqual([bad.told.at(-1).kind, bad.told.at(-1).field], ['failed', 'steps[0].k']);
  },
  { renderers: ['raster'] },
);

scenario(
  'a graphics device gives the clusters of the processor, and as good a layout',
  async (t) => {
    await t.open();
    const made = async (request) => {
      const { told } = await t.page.evaluate(map, { request: { ...golden.request, ...request }, until: 0 });
      assert.deepEqual(told.at(-1).kind, 'done', JSON.stringify(told.at(-1)));
      return told.filter(({ kind }) => kind === 'made');
    };
    const clusters = await made({ backend: 'webgpu' });
    assert.deepEqual(clusters.map(({ hashes }) => hashes), golden.hashes);
    assert.equal(clusters[0].metrics.backend, 'webgpu', clusters[0].metrics.backend_message);
    // A layout is another, as good, and always the same; what does not hang on it is the same.
    const steps = [{ kind: 'project', algorithm: 'umap' }, { kind: 'cluster', k: 3 }];
    const [own, theirs] = [await made({ steps, backend: 'cpu' }), await made({ steps, backend: 'webgpu' })];
    assert.deepEqual(theirs[1].hashes, own[1].hashes);
    const [ours, devices] = [own, theirs].map(([layout]) => layout.metrics.trustworthiness);
    assert.ok(devices > ours - 0.01, `${devices} ${ours}`);
    const again = await made({ steps, backend: 'webgpu' });
    assert.deepEqual(again.map(({ hashes }) => hashes), theirs.map(({ hashes }) => hashes));
    assert.deepEqual([own, theirs].map((all) => all.map(({ metrics }) => metrics.backend)), [[undefined, undefined], ['webgpu', 'webgpu']]);
  },
  { renderers: ['webgpu'] },
);
