// A walk at random through what a hand may do, the same for the same seed: whatever came
// before, the page agrees with the companion and nothing has gone wrong. LIMN_SOAK makes it
// that many times longer.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const STEPS = 40 * Number(process.env.LIMN_SOAK ?? 1);
const SEED = Number(process.env.LIMN_SEED ?? 20_010_630);
const CHECK_EVERY = 8;

function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return { next, below: (count) => Math.floor(next() * count), one: (list) => list[Math.floor(next() * list.length)] };
}

// What the address says is chosen, as the filters of a query.
function filtersOf(url) {
  const value = (atom) => {
    const text = decodeURIComponent(atom);
    return /^-?\d+(\.\d+)?(e-?\d+)?$/.test(text) ? Number(text) : text.replace(/^'/, '');
  };
  const parts = new URL(url).search.slice(1).split('&').filter((part) => part.startsWith('filter='));
  return parts.flatMap((part) => {
    const [subject, op, ...atoms] = part.slice('filter='.length).split(':');
    if (op === 'box') {
      const [x, xLow, xHigh, y, yLow, yHigh] = atoms;
      return [
        { column: decodeURIComponent(x), op: 'between', value: [value(xLow), value(xHigh)] },
        { column: decodeURIComponent(y), op: 'between', value: [value(yLow), value(yHigh)] },
      ];
    }
    const column = decodeURIComponent(subject);
    if (op === 'in' || op === 'between') return [{ column, op, value: atoms.map(value) }];
    if (op === 'is_null' || op === 'not_null') return [{ column, op }];
    return [{ column, op, value: value(atoms[0]) }];
  });
}

async function agree(t, table, said) {
  await t.until('the page and the companion agree', async () => {
    const expected = await t.countOf(table, filtersOf(t.page.url()));
    return (await t.counts()).selected === expected;
  }).catch(async (error) => {
    const { selected } = await t.counts();
    throw new Error(`${error.message}: ${selected} selected at ${t.page.url()} after\n${said.slice(-CHECK_EVERY - 4).join('\n')}`);
  });
}

scenario('a walk at random ends where the companion is', async (t) => {
  const random = chance(SEED);
  const said = [];
  const table = 'penguins';
  await t.openLink(`link=1&table=${table}&view=1:scatter:flipper_length_mm:body_mass_g&view=2:histogram:beak_length_mm:40&view=3:bars:species:12&view=4:bars:sex:12`);
  await t.untilShown();
  const { mouse, keyboard } = t.page;
  const within = async (locator) => {
    const box = await locator.boundingBox();
    return box && [box.x + box.width * (0.05 + 0.9 * random.next()), box.y + box.height * (0.1 + 0.8 * random.next())];
  };
  const drag = async (locator, modifier) => {
    await locator.scrollIntoViewIfNeeded();
    const [from, to] = [await within(locator), await within(locator)];
    if (!from || !to) return;
    if (modifier) await keyboard.down(modifier);
    await mouse.move(...from);
    await mouse.down();
    await mouse.move(...to, { steps: 3 });
    await mouse.up();
    if (modifier) await keyboard.up(modifier);
  };
  const main = t.page.getByRole('main');
  const button = (name) => t.page.getByRole('button', { name, exact: true });
  const pressIfPossible = async (locator) => {
    if ((await locator.count()) && (await locator.first().isEnabled())) await locator.first().click();
  };
  const actions = {
    'click a bar': async () => {
      const bars = main.locator('.bar-row');
      const count = await bars.count();
      if (count) await bars.nth(random.below(count)).click();
    },
    'brush': () => drag(main.locator('.brush-surface').first()),
    'box': () => drag(main.locator('.plot'), 'Shift'),
    'move the points': () => drag(main.locator('.plot')),
    'zoom': async () => {
      await mouse.move(...(await within(main.locator('.plot'))));
      await mouse.wheel(0, random.one([-300, -100, 100, 300]));
    },
    'everything': () => pressIfPossible(button('Show everything')),
    'colour': () => main.getByRole('combobox', { name: 'Colour' }).selectOption(random.one(['species', 'sex', 'beak_depth_mm'])),
    'sort': () => t.page.getByRole('grid').getByRole('button', { name: random.one(['species', 'body_mass_g']), exact: true }).click(),
    'scroll': async () => {
      await mouse.move(...(await within(t.page.getByRole('grid'))));
      await mouse.wheel(0, random.one([-2000, -120, 120, 2000]));
    },
    'undo': () => pressIfPossible(button('Undo')),
    'redo': () => pressIfPossible(button('Redo')),
    'clear': () => pressIfPossible(main.getByRole('button', { name: /^Clear( all \d+)?$/ })),
    'back': async () => {
      await t.page.goBack({ waitUntil: 'commit' });
      await t.page.goForward({ waitUntil: 'commit' });
    },
    'reload': () => t.reload(),
    'theme': () => t.setTheme(random.one(['light', 'dark'])),
    'size': () => t.resize(random.one(['wide', 'laptop'])),
  };
  const names = Object.keys(actions).flatMap((name) => (['reload', 'clear', 'size'].includes(name) ? [name] : [name, name]));
  let heap;
  for (let step = 1; step <= STEPS; step += 1) {
    const name = random.one(names);
    said.push(`${step}: ${name}`);
    await actions[name]();
    if (step % CHECK_EVERY === 0) await agree(t, table, said);
    if (step % 400 === 0) {
      const now = await t.page.evaluate(() => performance.memory?.usedJSHeapSize ?? 0);
      heap ??= now;
      assert.ok(now < heap * 2 + 20_000_000, `the page's heap grew from ${heap} to ${now} bytes`);
    }
  }
  await agree(t, table, said);
}, { renderers: ['raster'], timeoutMillis: 120_000 + 2_000 * STEPS });
