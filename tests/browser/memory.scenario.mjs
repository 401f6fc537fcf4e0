// What was on screen and is gone leaves nothing behind in the page's program. The long way to
// the same question is make soak's walk.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';
import { Scales, noteMemories } from './scales.mjs';

// Bytes a time: of strings that grew, not of what was on screen, which is thousands.
const LITTLE = 120;
const QUERY = 'link=1&table=movies&columns=imdb,us_gross&view=1:histogram:imdb:30&view=2:bars:genre:12';

scenario('what is gone from the page is let go of', async (t) => {
  await noteMemories(t.context);
  await t.openLink(QUERY);
  await t.untilShown();
  const { keyboard } = t.page;
  const scales = await new Scales().put(t.page);
  // Closures are let go of when the browser gets round to it, after garbage was collected.
  const inUse = async () => {
    let least = Infinity;
    for (let nth = 0; nth < 6; nth += 1) {
      const { 'page in use': bytes } = await scales.weigh();
      if (bytes > least - 1000) return Math.min(bytes, least);
      least = bytes;
    }
    return least;
  };
  // Bytes that stay of each time, the least of some rounds: a list may grow once, a leak always does.
  const kept = async (act, count, limit) => {
    for (let nth = 0; nth < 8; nth += 1) await act();
    const rounds = [];
    let before = await inUse();
    assert.ok(before > 100_000, `${before} bytes in use`);
    while (rounds.length < 3 && !rounds.some((bytes) => bytes < limit)) {
      for (let nth = 0; nth < count; nth += 1) await act();
      const after = await inUse();
      rounds.push((after - before) / count);
      before = after;
    }
    return rounds;
  };
  const list = t.page.locator('#palette-list');
  const palette = async () => {
    await keyboard.press('Control+k');
    await list.waitFor();
    await keyboard.press('Escape');
    await list.waitFor({ state: 'detached' });
  };
  const views = t.page.getByRole('main').getByRole('article');
  const view = async () => {
    await keyboard.press('Control+k');
    await list.waitFor();
    await keyboard.type('add violin');
    await list.getByRole('option', { name: /Violin/ }).first().click();
    await list.waitFor({ state: 'detached' });
    await views.nth(2).waitFor();
    await keyboard.press('Control+z');
    await views.nth(2).waitFor({ state: 'detached' });
  };
  // As by the address: what was chosen before and after is the same to the byte.
  const go = (query) => t.page.evaluate((address) => {
    history.pushState(null, '', address);
    dispatchEvent(new PopStateEvent('popstate'));
  }, `/?${query}&renderer=raster`);
  const grid = t.page.getByRole('grid');
  const heads = grid.getByRole('columnheader');
  const few = await heads.count();
  const columns = async () => {
    await go(QUERY.replace('us_gross', 'us_gross,rating,director'));
    await heads.nth(few + 1).waitFor();
    await t.untilShown();
    await go(QUERY);
    await heads.nth(few).waitFor({ state: 'detached' });
    await t.untilShown();
  };
  const numbers = async () => {
    await go(`${QUERY}&numbers=1,2`);
    await t.page.locator('.twin').nth(1).waitFor();
    await go(QUERY);
    await t.page.locator('.twin').first().waitFor({ state: 'detached' });
  };
  const width = async () => {
    await t.page.setViewportSize({ width: 390, height: 844 });
    await t.page.waitForTimeout(100);
    await t.page.setViewportSize({ width: 1280, height: 860 });
    await t.page.waitForTimeout(100);
  };
  const scroll = async () => {
    const { x, y } = await grid.boundingBox();
    await t.page.mouse.move(x + 200, y + 80);
    for (const by of [2000, -2000]) {
      await t.page.mouse.wheel(0, by);
      await t.page.waitForTimeout(60);
    }
  };
  const acts = { palette: [palette, 40], view: [view, 20], columns: [columns, 20], numbers: [numbers, 20], width: [width, 20], scroll: [scroll, 20] };
  for (const [name, [act, count]] of Object.entries(acts)) {
    const rounds = await kept(act, count, LITTLE);
    if (process.env.LIMN_TELL) console.log(`${name}: ${rounds}`);
    assert.ok(Math.min(...rounds) < LITTLE, `${name}: ${rounds} bytes stay each time`);
  }
}, { renderers: ['raster'] });
