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
