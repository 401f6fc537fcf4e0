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
  const inUse = async () => (await scales.weigh())['page in use'];
  const kept = async (act, count) => {
    for (let nth = 0; nth < 8; nth += 1) await act();
    const before = await inUse();
    assert.ok(before > 100_000, `${before} bytes in use`);
    for (let nth = 0; nth < count; nth += 1) await act();
    return ((await inUse()) - before) / count;
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
  const ofPalette = await kept(palette, 40);
  assert.ok(ofPalette < LITTLE, `${ofPalette} bytes stay each time that the palette is opened`);
  const ofView = await kept(view, 20);
  assert.ok(ofView < SOME, `${ofView} bytes stay of each view that was added and taken back`);
  if (process.env.LIMN_TELL) console.log(`${ofPalette} bytes a palette, ${ofView} a view`);
}, { renderers: ['raster'] });
