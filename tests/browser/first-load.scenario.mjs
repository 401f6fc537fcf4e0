// The first thing anybody sees: the page comes up, lists the tables, and complains of nothing.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

scenario('the page loads and lists the tables of the lake', async (t) => {
  await t.open();
  for (const name of ['flights', 'movies', 'birdstrikes', 'penguins']) {
    await t.page.getByText(name, { exact: true }).first().waitFor();
  }
  assert.match(await t.page.title(), /Limn/);
  const ink = await t.ink(t.page);
  assert.ok(ink.share > 0.005 && ink.colours > 10, `the page is almost blank: ${JSON.stringify(ink)}`);
  await t.shotsOfAll('first-load');
});

scenario('the page stands on a policy without inline scripts', async (t) => {
  const answer = await t.page.goto(t.wire.url);
  const policy = answer.headers()['content-security-policy'] ?? '';
  assert.match(policy, /script-src/);
  assert.doesNotMatch(policy.split('script-src')[1].split(';')[0], /unsafe-inline/);
}, { renderers: ['raster'] });

scenario('a companion on another machine is reached by plain http', async (t) => {
  // There the browser offers neither storage, nor a service worker, nor a GPU.
  await t.serve([t.stage.lake], ['--allowed-host', 'limn.test']);
  const asked = [];
  t.context.on('request', (request) => asked.push(request.url()));
  await t.page.goto(`http://limn.test:${t.wire.port}/?table=zipcodes`);
  await t.untilShown();
  await t.untilSelected(await t.countOf('zipcodes'));
  assert.ok(await t.page.evaluate(() => !window.isSecureContext));
  const streams = asked.filter((url) => url.includes('format=arrow-stream'));
  assert.ok(streams.length > 0 && streams.every((url) => url.includes('compression=zstd')), asked.join('\n'));
}, { renderers: ['raster'] });
