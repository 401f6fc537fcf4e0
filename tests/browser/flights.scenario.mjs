// Three million flights, from the lake to the screen: loaded, filtered by a bar, opened again
// by its address, and again with the network gone.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const STEP = 90_000;

// What the companion counts, to hold the page to.
const countOf = (page, origin) =>
  page.evaluate(async (origin) => {
    const query = {
      table: 'flights',
      filters: [{ column: 'origin', op: 'eq', value: origin }],
      aggregates: [{ op: 'count', as: 'n' }],
    };
    const answer = await fetch('/api/query?format=json', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(query),
    });
    return (await answer.json())[0].n;
  }, origin);

const shown = (page, text) => page.getByText(text, { exact: true }).first().waitFor({ timeout: STEP });

scenario('three million flights are filtered, shared and opened offline', async (t) => {
  await t.open({ table: 'flights' });
  await shown(t.page, '3,000,000');
  const expected = (await countOf(t.page, 'ORD')).toLocaleString('en-US');
  await t.page.getByText('ORD', { exact: true }).first().click();
  await shown(t.page, expected);
  await t.shot('flights-filtered');

  // The address says it all: another page shows the same.
  const address = new URL(t.page.url());
  const again = await t.newPage();
  await again.goto(address.href);
  await shown(again, expected);
  await again.close();

  await t.offline();
  await t.page.reload();
  await shown(t.page, expected);
  await t.shot('flights-offline');
  assert.ok((await t.page.url()).includes('flights'));
}, { renderers: ['raster'], timeoutMillis: 400_000 });
