// What goes wrong: a worker that dies, a stream cut half-way, a companion that is busy,
// gone, or refuses; a load that is stopped; tables larger than the browser's share.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };
const panic = (page) => page.evaluate(() => globalThis.limn.request(JSON.stringify({ break: { what: 'panic' } })));

scenario('a worker that dies is replaced, and nothing chosen is lost', async (t) => {
  t.allow(/panicked|broken on purpose|unreachable|RuntimeError/);
  await t.openLink('link=1&table=movies&filter=genre:in:Drama&debug=1');
  await t.untilShown();
  const drama = await t.countOf('movies', [{ column: 'genre', op: 'eq', value: 'Drama' }]);
  await t.untilSelected(drama);
  await panic(t.page);
  await t.page.getByText(/^The part that holds the data stopped and was started again/).waitFor();
  await t.shot('worker-died');
  // The new worker answers, also what is asked from now on.
  await t.page.getByRole('option', { name: /^R / }).first().click();
  await t.untilSelected(
    await t.countOf('movies', [
      { column: 'genre', op: 'eq', value: 'Drama' },
      { column: 'rating', op: 'eq', value: 'R' },
    ]),
  );
  const canvas = t.page.locator('canvas').first();
  await t.until('points are drawn again', async () => (await t.ink(canvas)).share > 0.002);

  // Again: each worker has a canvas of its own.
  const own = await canvas.elementHandle();
  await panic(t.page);
  await t.until('a canvas for the next worker', () => own.evaluate((element) => !element.isConnected));
  await t.until('points are drawn once more', async () => (await t.ink(canvas)).share > 0.002);
  // And again: it is given up, with a way on.
  await t.until('it is given up', async () => {
    await panic(t.page).catch(() => {});
    return t.page.getByRole('heading', { name: 'The part that holds the data keeps stopping' }).isVisible();
  });
  await t.shot('worker-given-up');
  await t.page.getByRole('button', { name: 'Try again without filters' }).click();
  await t.untilSelected(await t.countOf('movies'));
});

scenario('a stream cut half-way keeps what is here, and the rest is loaded on request', async (t) => {
  t.allow(/ERR_|Failed to load|network/i);
  await t.throttle({ bytesPerSecond: 3_000_000 });
  await t.openLink('link=1&table=flights&columns=delay,distance&view=1:histogram:delay:40');
  await t.until('some rows are here', async () => (await t.counts()).total > 100_000, 60_000);
  await t.wire.unplug();
  await t.page.getByRole('button', { name: 'Load the rest' }).waitFor({ timeout: 60_000 });
  const { total } = await t.counts();
  assert.ok(total > 100_000 && total < 3_000_000, `${total} rows are here`);
  await t.shot('cut');
  await t.throttle({});
  await t.wire.replug();
  await t.page.getByRole('button', { name: 'Load the rest' }).click();
  await t.until('all rows', async () => (await t.counts()).total === 3_000_000, 90_000);
  await t.untilSelected(3_000_000);
}, { ...raster, timeoutMillis: 240_000 });

scenario('a load is stopped and goes on', async (t) => {
  await t.throttle({ bytesPerSecond: 2_000_000 });
  await t.openLink('link=1&table=flights&columns=delay,distance&view=1:histogram:delay:40');
  const stop = t.page.getByRole('button', { name: 'Stop', exact: true });
  await stop.waitFor();
  await t.page.getByRole('progressbar', { name: 'Loading' }).waitFor();
  await t.until('some rows are here', async () => (await t.counts()).total > 10_000, 60_000);
  await stop.click();
  await t.page.getByText(/^Loading was stopped: /).waitFor();
  const { total } = await t.counts();
  assert.ok(total < 3_000_000);
  await t.shot('stopped');
  await t.throttle({});
  await t.page.getByRole('button', { name: 'Load the rest' }).click();
  await t.until('all rows', async () => (await t.counts()).total === 3_000_000, 90_000);
}, { ...raster, timeoutMillis: 240_000 });

scenario('what the companion refuses is said, and tried again', async (t) => {
  t.allow(/413|429|500|503/);
  const refuse = (status, title) => async (route) =>
    route.fulfill({
      status,
      contentType: 'application/problem+json',
      body: JSON.stringify({ type: 'urn:limn:problem:busy', title, status, detail: `${title}: try again in a while` }),
    });
  for (const [status, title] of [
    [500, 'A fault of the companion'],
    [413, 'More rows than one answer may have'],
    [429, 'Too many queries'],
  ]) {
    await t.context.route('**/api/query**', refuse(status, title));
    await t.openLink('link=1&table=movies');
    await t.page.getByText(new RegExp(title)).first().waitFor();
    await t.shot(`refused-${status}`);
    await t.context.unroute('**/api/query**');
  }
  await t.page.getByRole('button', { name: 'Try again' }).first().click();
  await t.untilSelected(await t.countOf('movies'));
}, raster);

scenario('a companion that ends and comes back is noticed', async (t) => {
  t.allow(/ERR_|Failed to load/);
  const server = await t.serve([t.stage.lake]);
  await t.open({ table: 'weather' });
  await t.untilShown();
  const total = await t.countOf('weather');
  const rain = await t.countOf('weather', [{ column: 'weather', op: 'eq', value: 'rain' }]);
  await server.stop();
  // What it is asked for next tells.
  await t.page.getByRole('button', { name: 'Table weather. Choose another' }).click();
  await t.page.getByRole('option', { name: /movies/ }).click();
  await t.page.getByText(/^offline/).waitFor({ timeout: 90_000 });
  await t.page.goBack();
  await t.untilSelected(total);
  await t.page.getByRole('option', { name: /^rain/ }).first().click();
  await t.untilSelected(rain);
  await t.serve([t.stage.lake]);
  await t.page.getByText('online', { exact: true }).waitFor({ timeout: 90_000 });
}, { ...raster, timeoutMillis: 240_000 });

scenario('a table larger than the browser\'s share is aggregated by the companion', async (t) => {
  await t.openLink('link=1&table=flights&columns=delay,distance,origin&view=1:histogram:delay:40&view=2:bars:origin:12&view=3:scatter:distance:delay&budget=4000000');
  await t.untilShown();
  await t.page.locator('.status').getByText('server').waitFor();
  await t.page.getByText(/by the companion: needs .* this browser holds/).waitFor();
  const total = await t.countOf('flights');
  await t.untilSelected(total);
  await t.page.getByRole('option', { name: /^ORD/ }).first().click();
  await t.untilSelected(await t.countOf('flights', [{ column: 'origin', op: 'eq', value: 'ORD' }]));
  // A pattern in the link is checked here and answered there.
  await t.openLink('link=1&table=flights&columns=delay,origin&view=1:histogram:delay:40&filter=origin:matches_case:%5E(ORD%7CATL)$&budget=4000000');
  const pattern = [{ column: 'origin', op: 'matches', value: '^(ORD|ATL)$' }];
  await t.untilSelected(await t.countOf('flights', pattern));
  await t.openLink('link=1&table=flights&columns=delay,distance,origin&view=1:histogram:delay:40&view=2:bars:origin:12&view=3:scatter:distance:delay&filter=origin:in:ORD&budget=4000000');
  await t.untilSelected(await t.countOf('flights', [{ column: 'origin', op: 'eq', value: 'ORD' }]));
  const canvas = t.page.locator('canvas').first();
  await t.until('a density is drawn', async () => (await t.ink(canvas)).share > 0.002);
  // Rows come by the page.
  const grid = t.page.getByRole('grid');
  await t.until('rows', async () => (await grid.locator('[role=rowgroup] [role=row]').first().innerText()).includes('ORD'));
  await t.shot('by-the-companion');
}, raster);

// Requests for the parts of a program by that name fail until they are let through. Nothing is
// kept for when there is no network, where the parts would be found.
async function without(t, name) {
  t.allow(/ERR_FAILED|Failed to fetch/);
  await t.context.addInitScript(() => { ServiceWorkerContainer.prototype.register = () => new Promise(() => {}); });
  const asked = new RegExp(`/part-${name}-`);
  let nRefused = 0;
  await t.context.route(asked, (route) => {
    nRefused += 1;
    return route.abort();
  });
  return async () => {
    assert.ok(nRefused > 0, `no ${name} were asked for`);
    await t.context.unroute(asked);
  };
}

scenario('a part of the page that cannot be fetched says so, and is fetched on request', async (t) => {
  const letThrough = await without(t, '(panels|charts)');
  await t.openLink('link=1&table=penguins&view=1:heat:beak_length_mm:body_mass_g:12&view=2:histogram:body_mass_g:40&numbers=2');
  const words = 'This part of the page could not be fetched.';
  // Nothing else waits for it: the histogram counts.
  await t.untilSelected(await t.countOf('penguins'));
  const missing = (place) => place.getByRole('alert').filter({ hasText: words });
  const main = t.page.getByRole('main');
  await t.until('a chart and a table of numbers are missed', async () => (await missing(main).count()) === 2);
  await t.page.getByRole('tab', { name: 'Columns' }).click();
  const side = t.page.getByRole('complementary', { name: 'Filters and columns' });
  await missing(side).waitFor();
  await t.page.locator('#main').focus();
  await t.page.keyboard.press('?');
  const help = t.page.getByRole('dialog', { name: 'Keys and gestures' });
  await missing(help).waitFor();
  await t.shot('part-missing');
  // Asked again in vain it says so again.
  await help.getByRole('button', { name: 'Try again' }).click();
  await missing(help).waitFor();
  await letThrough();
  await help.getByRole('button', { name: 'Try again' }).click();
  await help.getByText('Find a command').waitFor();
  assert.equal(await missing(help).count(), 0);
  await t.page.keyboard.press('Escape');
  await help.waitFor({ state: 'hidden' });
  await side.getByRole('button', { name: 'Try again' }).click();
  await side.getByRole('searchbox', { name: 'Search columns' }).waitFor();
  for (const button of await main.getByRole('button', { name: 'Try again' }).all().then((all) => all.reverse())) await button.click();
  await main.getByRole('application', { name: /^Heat map of body_mass_g/ }).waitFor();
  await main.getByRole('region', { name: /^Numbers of / }).waitFor();
  assert.equal(await missing(t.page).count(), 0);
}, raster);

scenario('without what asks the companion every view says so, until it is asked for again', async (t) => {
  const letThrough = await without(t, 'elsewhere');
  await t.openLink('link=1&table=flights&columns=delay,origin&view=1:histogram:delay:40&view=2:bars:origin:12&budget=4000000');
  const main = t.page.getByRole('main');
  const failed = main.locator('.view-failed').filter({ hasText: 'a part of the page could not be fetched' });
  await t.until('every view says so', async () => (await failed.count()) === 2);
  await t.shot('part-elsewhere-missing');
  await letThrough();
  await t.page.getByRole('alert').getByRole('button', { name: 'Try again' }).first().click();
  await t.untilSelected(await t.countOf('flights'));
  await t.until('no view says so', async () => (await failed.count()) === 0);
  await main.getByRole('option', { name: /^ORD/ }).click();
  await t.untilSelected(await t.countOf('flights', [{ column: 'origin', op: 'eq', value: 'ORD' }]));
}, raster);

scenario('a companion that takes its time to say that it is there is found all the same', async (t) => {
  // In front of the companion: the first word of its health is held back half-way.
  let nAsked = 0;
  const front = http.createServer((request, response) => {
    const { url: path, method, headers } = request;
    const upstream = http.request({ port: t.stage.server.port, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      response.flushHeaders();
      const isFirst = path.startsWith('/api/health') && nAsked++ === 0;
      setTimeout(() => answer.pipe(response), isFirst ? 1500 : 0);
    });
    upstream.on('error', () => response.destroy());
    request.pipe(upstream);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  t.wire.upstreamPort = front.address().port;
  try {
    await t.openLink('link=1&table=movies&filter=genre:in:Drama');
    await t.untilSelected(await t.countOf('movies', [{ column: 'genre', op: 'eq', value: 'Drama' }]));
    assert.ok(nAsked > 0);
  } finally {
    front.closeAllConnections();
    front.close();
  }
}, raster);

scenario('without WebGPU everything is drawn by the raster, and said', async (t) => {
  await t.context.route(/worker-start-.*\.js$/, async (route) => {
    const answer = await route.fetch();
    const without = "Object.defineProperty(WorkerNavigator.prototype, 'gpu', { get: () => undefined });\n";
    await route.fulfill({ response: answer, body: without + (await answer.text()) });
  });
  await t.page.goto(`${t.wire.url}/?table=penguins`);
  await t.untilShown();
  const said = t.page.locator('.renderer');
  await t.until('the raster draws', async () => (await said.innerText()) === 'raster');
  assert.match(await said.getAttribute('title'), /WebGPU/);
  await t.until('points are drawn', async () => (await t.ink(t.page.locator('canvas').first())).share > 0.005);
}, raster);

scenario('points are drawn again when the GPU is lost, and by the raster when it is lost twice', async (t) => {
  // How often the worker asks for a device tells that one was really lost.
  await t.context.route(/worker-start-.*\.js$/, async (route) => {
    const answer = await route.fetch();
    const counted =
      "const { requestDevice } = GPUAdapter.prototype; GPUAdapter.prototype.requestDevice = function (...rest) { console.log('a device is asked for'); return requestDevice.apply(this, rest); };\n";
    await route.fulfill({ response: answer, body: counted + (await answer.text()) });
  });
  let nDevices = 0;
  t.page.on('console', (message) => {
    if (message.text() === 'a device is asked for') nDevices += 1;
  });
  const lose = () => t.page.evaluate(() => globalThis.limn.request(JSON.stringify({ break: { what: 'device_loss' } })));
  await t.openLink('link=1&table=penguins&view=1:scatter:flipper_length_mm:body_mass_g:species&debug=1');
  await t.untilShown();
  const said = t.page.locator('.renderer');
  const canvas = t.page.locator('canvas').first();
  await t.until('points are drawn', async () => (await t.ink(canvas)).share > 0.02);
  assert.match(await said.getAttribute('title'), /^Pictures are drawn by webgpu on ./);
  assert.equal(nDevices, 1);
  await t.untilStill(canvas);
  const before = await canvas.screenshot();
  // Other pictures are drawn from now on, and the first one again.
  const draws = async () => {
    const gentoo = t.page.getByRole('list', { name: /species/ }).getByRole('button', { name: /^Gentoo/ });
    await gentoo.click();
    await t.untilSelected(await t.countOf('penguins', [{ column: 'species', op: 'eq', value: 'Gentoo' }]));
    await t.until('another picture', async () => (await t.difference(before, await canvas.screenshot())) > 0.01);
    await gentoo.click();
    await t.until('the first picture', async () => (await t.difference(before, await canvas.screenshot())) < 0.001);
  };

  await lose();
  await t.until('another device', () => nDevices === 2);
  await draws();
  assert.match(await said.getAttribute('title'), /^Pictures are drawn by webgpu on ./);

  await lose();
  await t.until('the raster draws', async () => (await said.innerText()) === 'raster');
  assert.match(await said.getAttribute('title'), /^Pictures are drawn by raster: the GPU was lost twice/);
  await draws();
  await t.shot('gpu-lost-twice');
  assert.equal(nDevices, 2);
}, { renderers: ['webgpu'] });

// What becomes of the pictures when the browser's whole GPU process ends, as it does when a
// driver crashes: unlike a lost device it takes what is on screen with it.
scenario('points are drawn again when the GPU process ends', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:flipper_length_mm:body_mass_g:species');
  await t.untilShown();
  const canvas = t.page.locator('canvas').first();
  await t.until('points are drawn', async () => (await t.ink(canvas)).share > 0.02);
  await t.untilStill(canvas);
  const before = await canvas.screenshot();
  const browser = await t.stage.browser.newBrowserCDPSession();
  await browser.send('Browser.crashGpuProcess').catch(() => {});
  // By itself, without a hand on the page.
  await t.until('the same picture', async () => (await t.difference(before, await canvas.screenshot())) < 0.001);
  assert.match(await t.page.locator('.renderer').getAttribute('title'), new RegExp(`drawn by ${t.renderer}`));
  // And what is drawn from now on is seen.
  await t.page.getByRole('list', { name: /species/ }).getByRole('button', { name: /^Gentoo/ }).click();
  await t.until('another picture', async () => (await t.difference(before, await canvas.screenshot())) > 0.01);
});

scenario('a view of columns that are on their way waits, and nothing is said to be missing', async (t) => {
  const path = (columns, views) => `/?link=1&table=penguins&columns=${columns}&${views}&renderer=raster`;
  await t.openLink('link=1&table=penguins&columns=species&view=1:bars:species:12');
  await t.untilShown();
  await t.page.evaluate(() => {
    window.limnFailed = [];
    const look = () => window.limnFailed.push(...[...document.querySelectorAll('.view-failed')].map((failed) => failed.innerText));
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true });
  });
  await t.throttle({ latencyMillis: 1500 });
  await t.page.evaluate((path) => {
    history.pushState(null, '', path);
    dispatchEvent(new PopStateEvent('popstate'));
  }, path('species,body_mass_g', 'view=1:bars:species:12&view=2:histogram:body_mass_g:20&filter=body_mass_g:gt:4000'));
  const late = t.page.locator('[data-view="2"]');
  await late.waitFor();
  await t.page.locator('.counts').getByText('so far').waitFor();
  assert.match(await late.getAttribute('class'), /waiting/);
  // Cells that have not come are empty, which is not null.
  const cells = t.page.getByRole('grid').locator('.cell');
  await cells.getByText('Adelie').first().waitFor();
  assert.equal(await t.page.getByRole('grid').locator('.cell .null').count(), 0);
  await t.shot('waits-for-a-column');
  await t.untilSelected(await t.countOf('penguins', [{ column: 'body_mass_g', op: 'gt', value: 4000 }]));
  await t.until('the view has come', async () => !(await late.getAttribute('class')).includes('waiting'));
  assert.deepEqual(await t.page.evaluate(() => window.limnFailed), []);
}, raster);
