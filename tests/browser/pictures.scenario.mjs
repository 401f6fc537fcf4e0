// The two renderers side by side: the same pixels, the choice between them, and what
// becomes of a picture when the GPU is lost.

import assert from 'node:assert/strict';
import { openEasels } from './easel.mjs';
import { scenario } from './harness.mjs';

// The build of the example is part of the first scenario.
const options = { renderers: ['webgpu'], timeoutMillis: 900_000 };
// Coordinates and sums are the same to the bit; what may differ is a logarithm's last digit.
const SHARE_APART = 0.0005;

scenario('both renderers draw the same pictures', async (t) => {
  await openEasels(t.page);
  const results = await t.page.evaluate(async () => {
    const [gpu, raster] = [await Easel.create('webgpu', 240, 160, 1), await Easel.create('raster', 240, 160, 1)];
    const results = [{ name: 'renderers', infos: [gpu.info(), raster.info()] }];
    for (const name of scenes()) {
      gpu.set_scene(name);
      raster.set_scene(name);
      await gpu.draw();
      await raster.draw();
      const pixels = raster.pixels();
      const golden = await createImageBitmap(await (await fetch(`/goldens/${name}.png`)).blob());
      const copy = new OffscreenCanvas(golden.width, golden.height).getContext('2d');
      copy.drawImage(golden, 0, 0);
      const kept = copy.getImageData(0, 0, golden.width, golden.height).data;
      const background = pixels.slice(0, 3).join();
      let ink = 0;
      for (let at = 0; at < pixels.length; at += 4) ink += pixels.slice(at, at + 3).join() !== background;
      results.push({ name, ink, ...compare(gpu.pixels(), pixels), golden: compare(kept, pixels), events: gpu.events() });
    }
    return results;
  });
  const [{ infos }, ...pictures] = results;
  assert.match(infos[0], /^webgpu\n./);
  assert.match(infos[1], /^raster\n/);
  assert.ok(pictures.length >= 9, `only ${pictures.length} pictures`);
  for (const picture of pictures) {
    const text = JSON.stringify(picture);
    assert.ok(picture.apart <= SHARE_APART, `the renderers differ: ${text}`);
    assert.ok(picture.golden.apart <= SHARE_APART, `wasm differs from the host: ${text}`);
    assert.ok(picture.name === 'nothing' ? picture.ink === 0 : picture.ink > 20, `too little or too much is drawn: ${text}`);
    assert.deepEqual(picture.events.filter((event) => event !== 'wake'), [], text);
  }
}, options);

scenario('selections, panning, new sizes and pixel ratios agree in both renderers', async (t) => {
  await openEasels(t.page);
  const results = await t.page.evaluate(async () => {
    const easels = [await Easel.create('webgpu', 200, 150, 2), await Easel.create('raster', 200, 150, 2)];
    const results = [];
    const check = async (step) => {
      for (const easel of easels) await easel.draw();
      results.push({ step, ...compare(easels[0].pixels(), easels[1].pixels()) });
    };
    const both = (act) => easels.forEach(act);
    for (const [count, colored] of [[5000, true], [200_000, false]]) {
      both((easel) => easel.set_points(count, colored));
      await check(`${count} points`);
      both((easel) => easel.pan(0.21));
      await check('panned');
      both((easel) => easel.reselect(5));
      await check('selected');
      both((easel) => easel.reselect(1));
      await check('selected otherwise');
    }
    both((easel) => easel.resize(333, 77));
    await check('smaller');
    both((easel) => easel.resize(900, 500));
    await check('larger');
    return results;
  });
  for (const result of results) assert.ok(result.apart <= SHARE_APART, JSON.stringify(result));
}, options);

scenario('what a worker draws on a canvas of the page is on screen', async (t) => {
  await openEasels(t.page);
  const shots = [];
  for (const renderer of ['webgpu', 'raster']) {
    const state = await t.page.evaluate(async (renderer) => {
      document.body.replaceChildren();
      document.body.style.margin = '0';
      const canvas = document.body.appendChild(document.createElement('canvas'));
      canvas.style = 'width: 400px; height: 300px; display: block';
      const worker = new Worker('/worker.js', { type: 'module' });
      const offscreen = canvas.transferControlToOffscreen();
      const order = { canvas: offscreen, renderer, scene: 'few', width: 400, height: 300, ratio: 1 };
      const state = await new Promise((done, fail) => {
        worker.onmessage = ({ data }) => done(data);
        worker.onerror = (error) => fail(new Error(error.message));
        worker.postMessage(order, [offscreen]);
      });
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      return state;
    }, renderer);
    assert.ok(state.info.startsWith(`${renderer}\n`), JSON.stringify(state));
    const canvas = t.page.locator('canvas');
    shots.push(await t.until('points on screen', async () => {
      const { share, colours } = await t.ink(canvas);
      return share > 0.02 && colours > 20 && canvas.screenshot();
    }));
  }
  assert.ok((await t.difference(...shots)) < 0.001, 'the renderers differ on screen');
}, options);

scenario('a lost GPU is asked for again, and the raster takes over when it is lost twice', async (t) => {
  await openEasels(t.page);
  const states = await t.page.evaluate(async () => {
    const easel = await Easel.create('webgpu', 240, 160, 1);
    const raster = await Easel.create('raster', 240, 160, 1);
    easel.set_scene('selected');
    raster.set_scene('selected');
    await raster.draw();
    const states = [];
    for (let losses = 0; losses <= 2; losses += 1) {
      if (losses) easel.lose_device();
      const events = [];
      for (let waited = 0; losses && waited < 200 && !events.some((event) => event.startsWith('changed')); waited += 1) {
        await pause(50);
        events.push(...easel.events());
      }
      await easel.draw();
      states.push({ info: easel.info(), events, ...compare(easel.pixels(), raster.pixels()) });
    }
    return states;
  });
  const [first, again, last] = states;
  assert.match(first.info, /^webgpu/);
  assert.match(again.info, /^webgpu/);
  assert.ok(again.events.includes('changed to webgpu'), JSON.stringify(again));
  assert.match(last.info, /^raster\n\nthe GPU was lost twice/);
  assert.ok(last.events.includes('changed to raster'), JSON.stringify(last));
  for (const state of states) assert.ok(state.apart <= SHARE_APART, JSON.stringify(state));
}, options);

scenario('the renderer is chosen by what there is, and says why', async (t) => {
  await openEasels(t.page);
  const infos = await t.page.evaluate(async () => {
    const info = async (choice) => (await Easel.create(choice, 10, 10, 1)).info().split('\n');
    const infos = { fallback: await info('auto'), forced: await info('webgpu'), asked: await info('raster') };
    const { prototype } = Object.getPrototypeOf(navigator.gpu).constructor;
    prototype.requestAdapter = async () => null;
    infos.noAdapter = await info('webgpu');
    Object.defineProperty(navigator, 'gpu', { value: undefined, configurable: true });
    infos.noWebGpu = await info('auto');
    return infos;
  });
  assert.deepEqual(infos.fallback, ['raster', '', 'the only adapter is a fallback without a GPU']);
  assert.equal(infos.forced[0], 'webgpu');
  assert.deepEqual(infos.asked, ['raster', '', '']);
  assert.equal(infos.noAdapter[0], 'raster');
  assert.match(infos.noAdapter[2], /no GPU answers/);
  assert.deepEqual(infos.noWebGpu, ['raster', '', 'the browser has no WebGPU']);
}, options);
