// A table that does not fit the browser, brushed: the companion counts every view by the
// bins of the brushed column once, and the steps of the brush are worked out in the page.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

// In the page before its own scripts: what the worker says.
function listen() {
  window.limnHeard = [];
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string' || !/^{"(views|prepared|rows)"/.test(data)) return;
        const [[kind, said]] = Object.entries(JSON.parse(data));
        window.limnHeard.push({ kind, ...said, at: performance.now() });
      });
    }
  };
}

const heard = (t) => t.page.evaluate(() => window.limnHeard);
const untilPrepared = (t, column) => t.until(`${column} is prepared`, async () => (await heard(t)).some((said) => said.kind === 'prepared' && said.column === column));
const counted = (result) => result.histogram?.counts ?? result.grid?.counts ?? result.bars?.bars.map((bar) => bar.count) ?? [];
const sum = (counts) => counts.reduce((all, count) => all + count, 0);

async function open(t, views) {
  await t.page.addInitScript(listen);
  await t.openLink(`link=1&table=flights&columns=delay,distance,origin,date&${views}&budget=1&debug=1`);
  await t.untilShown();
}

// Over a histogram with the button down, to and fro, without a rest.
async function brush(t, name, shares) {
  const surface = t.page.getByRole('article', { name }).locator('.brush-surface');
  const box = await surface.boundingBox();
  const at = (share) => [box.x + share * box.width, box.y + box.height / 2];
  await t.page.mouse.move(...at(shares[0]));
  return {
    begin: async () => {
      await t.page.mouse.down();
      for (const share of shares.slice(1)) await t.page.mouse.move(...at(share), { steps: 6 });
    },
    end: () => t.page.mouse.up(),
  };
}

const range = (t) => {
  const part = new URL(t.page.url()).search.slice(1).split('&').find((part) => part.startsWith('filter='));
  const [column, op, low, high] = part.slice('filter='.length).split(':').map(decodeURIComponent);
  return { column, op, value: [Number(low), Number(high)] };
};

scenario('the steps of a brush over a table elsewhere are foreseen', async (t) => {
  await open(t, 'view=1:histogram:distance:30&view=2:histogram:delay:30&view=3:bars:origin:8&view=4:line:date&view=5:heat:delay:distance:20&view=6:scatter:delay:distance');
  const drag = await brush(t, 'Histogram of distance', [0.2, 0.5, 0.35, 0.6, 0.45]);
  await untilPrepared(t, 'distance');
  const before = (await heard(t)).length;
  await drag.begin();
  await drag.end();
  await t.until('the address holds the range', () => t.page.url().includes('filter='));
  const between = range(t);
  const exact = await t.countOf('flights', [between]);
  await t.untilSelected(exact);
  await t.until('the exact answer', async () => (await heard(t)).filter((said) => said.kind === 'views').at(-1).reduction === 'bins');

  const since = (await heard(t)).slice(before);
  const answers = since.filter((said) => said.kind === 'views');
  const steps = answers.filter((said) => said.reduction === 'steps');
  assert.ok(steps.length >= 5, `${steps.length} steps of ${answers.length} answers`);
  if (process.env.LIMN_TELL) console.log(answers.map((said) => `${said.reduction} ${said.elapsed_millis.toFixed(1)}`).join(', '));
  for (const step of steps) {
    // Points are too many groups, and follow when the brush rests.
    assert.deepEqual(step.behind, [6]);
    assert.equal(step.results.length, 6);
    // All views are of the same rows: no row of this table is without these values.
    const [, delay, , line] = step.results.map(({ result }) => sum(counted(result)));
    assert.deepEqual([delay + step.results[1].result.histogram.nulls, line], [step.selected, step.selected]);
  }
  // Rows are asked for with what is exact, not with every step.
  const nRows = since.filter((said) => said.kind === 'rows').length;
  assert.ok(nRows <= answers.length - steps.length + 1, `${nRows} times rows, ${answers.length - steps.length} exact answers`);
  // The last step is within two of the 512 bins of what is exact.
  const last = steps.at(-1);
  const total = (await t.counts()).total;
  assert.ok(Math.abs(last.selected - exact) < total / 50, `${last.selected} in steps, ${exact} exactly`);
  const [now] = answers.slice(-1);
  const bars = (said) => said.results[2].result.bars.bars;
  assert.deepEqual(bars(last).map((bar) => bar.value).slice(0, 3), bars(now).map((bar) => bar.value).slice(0, 3));
  assert.deepEqual(now.behind, []);

  // Another filter, and the steps are those under it.
  await t.page.getByRole('option', { name: new RegExp(`^${bars(now)[0].value}`) }).first().click();
  const origin = { column: 'origin', op: 'in', value: [bars(now)[0].value] };
  await t.untilSelected(await t.countOf('flights', [between, origin]));
  const again = (await heard(t)).length;
  const second = await brush(t, 'Histogram of distance', [0.7, 0.9, 0.8]);
  await t.until('prepared anew', async () => (await heard(t)).slice(again).some((said) => said.kind === 'prepared'));
  const from = (await heard(t)).length;
  await second.begin();
  await second.end();
  await t.until('the range has moved', () => range(t).value[0] !== between.value[0]);
  const both = await t.countOf('flights', [range(t), origin]);
  await t.untilSelected(both);
  const under = (await heard(t)).slice(from).filter((said) => said.reduction === 'steps');
  assert.ok(under.length > 0 && under.every((step) => step.selected <= total / 10), JSON.stringify(under.map((step) => step.selected)));
}, raster);

scenario('rows that nobody waits for any more are given up', async (t) => {
  await open(t, 'view=1:histogram:delay:30');
  const gridOf = t.page.getByRole('grid');
  const given = [];
  t.page.on('requestfailed', (request) => given.push(request.failure()?.errorText));
  // A companion that takes its time over rows, and only once.
  let held = 0;
  await t.context.route('**/api/query**', async (route) => {
    const query = JSON.parse(new URL(route.request().url()).searchParams.get('q') ?? '{}');
    if (query.offset > 0 && held === 0) {
      held += 1;
      await new Promise((done) => setTimeout(done, 8000));
    }
    await route.continue().catch(() => {});
  });
  const go = async (row) => {
    await gridOf.focus();
    await t.page.keyboard.press('g');
    await t.page.keyboard.type(String(row));
    await t.page.keyboard.press('Enter');
  };
  await go(50_000);
  await t.until('rows are asked for', () => held === 1);
  await t.page.waitForTimeout(1500);
  assert.deepEqual(given, []);
  const began = Date.now();
  await go(90_000);
  await t.until('the first rows are given up', () => given.length === 1);
  await t.until('the others are here', async () => (await gridOf.locator('.grid-row:not(.waiting)').allInnerTexts()).some((text) => text.includes('90')));
  assert.ok(Date.now() - began < 6000, `${Date.now() - began} ms`);
}, raster);
