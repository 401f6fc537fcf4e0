// What was on screen and is gone leaves nothing behind in the page's program. The long way to
// the same question is make soak's walk.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';
import { Scales, noteMemories } from './scales.mjs';

// Bytes a time. Of what Leptos itself keeps of a thing that is gone some are left.
const LITTLE = 120;
const SOME = 700;

scenario('what is gone from the page is let go of', async (t) => {
  await noteMemories(t.context);
  await t.openLink('link=1&table=movies&columns=imdb,us_gross&view=1:histogram:imdb:30&view=2:bars:genre:12');
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
  const ofPalette = await kept(palette, 40, LITTLE);
  assert.ok(Math.min(...ofPalette) < LITTLE, `${ofPalette} bytes stay each time that the palette is opened`);
  const ofView = await kept(view, 20, SOME);
  assert.ok(Math.min(...ofView) < SOME, `${ofView} bytes stay of each view that was added and taken back`);
  if (process.env.LIMN_TELL) console.log(`${ofPalette} bytes a palette, ${ofView} a view`);
}, { renderers: ['raster'] });
