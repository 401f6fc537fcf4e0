// Each kind of filter, held to what the companion counts; the list of active filters; undo.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };
const option = (place, name) => place.getByRole('option', { name: new RegExp(`^${name}`) });
const countIn = async (place, name) => {
  const text = await option(place, name).locator('.bar-count').innerText();
  return Number(text.replaceAll(',', ''));
};

scenario('values are chosen, searched and counted under the other filters', async (t) => {
  await t.open({ table: 'movies' });
  await t.untilShown();
  const genre = await t.filter('genre');
  await option(genre, 'Drama').click();
  await option(genre, 'Comedy').click();
  const both = { column: 'genre', op: 'in', value: ['Drama', 'Comedy'] };
  await t.untilSelected(await t.countOf('movies', [both]));

  // Another column counts under this filter; the column itself does not.
  const rated = { column: 'rating', op: 'eq', value: 'R' };
  const ratings = t.page.getByRole('listbox', { name: /^Values of rating/ });
  const expected = await t.countOf('movies', [both, rated]);
  await t.until('R under the filter', async () => (await countIn(ratings, 'R')) === expected);
  const action = { column: 'genre', op: 'eq', value: 'Action' };
  assert.equal(await countIn(genre, 'Action'), await t.countOf('movies', [action]));

  await option(ratings, 'R').click();
  await t.untilSelected(expected);
  const under = await t.countOf('movies', [rated, action]);
  await t.until('Action under R', async () => (await countIn(genre, 'Action')) === under);

  // What is searched for, and what is chosen, stays in the list.
  await genre.getByRole('searchbox').fill('black');
  await t.until('the list is narrowed', async () => (await option(genre, 'Action').count()) === 0);
  assert.equal(await option(genre, 'Black Comedy').count(), 1);
  assert.equal(await option(genre, 'Drama').count(), 1);
  await genre.getByRole('searchbox').fill('no such genre');
  await t.until('nothing but what is chosen', async () => (await option(genre, 'Black Comedy').count()) === 0);

  // Alt and click: only this one.
  await genre.getByRole('searchbox').fill('');
  await option(genre, 'Western').click({ modifiers: ['Alt'] });
  await t.untilSelected(await t.countOf('movies', [rated, { column: 'genre', op: 'eq', value: 'Western' }]));
  // Missing values are one of the choices.
  await option(ratings, 'missing').click();
  await t.untilSelected(
    await t.countOf('movies', [{ column: 'rating', op: 'is_null' }, { column: 'genre', op: 'eq', value: 'Western' }]),
  );
}, raster);

scenario('a range is typed, dragged and moved by keys', async (t) => {
  await t.open({ table: 'movies' });
  await t.untilShown();
  const imdb = await t.filter('imdb');
  const from = imdb.getByRole('textbox', { name: 'imdb from' });
  const to = imdb.getByRole('textbox', { name: 'imdb to' });
  const between = async () => [Number(await from.inputValue()), Number(await to.inputValue())];
  const held = async () => {
    const value = await between();
    await t.untilSelected(await t.countOf('movies', [{ column: 'imdb', op: 'between', value }]));
    return value;
  };
  await from.fill('7');
  await from.press('Enter');
  await t.untilSelected(await t.countOf('movies', [{ column: 'imdb', op: 'ge', value: 7 }]));
  await to.fill('8.5');
  await to.press('Enter');
  assert.deepEqual(await held(), [7, 8.5]);

  // The wrong way round they change places.
  await to.fill('3');
  await to.press('Enter');
  assert.deepEqual(await held(), [3, 7]);

  await imdb.getByRole('slider', { name: 'imdb from' }).focus();
  await t.page.keyboard.press('ArrowRight');
  await t.until('the end has moved', async () => (await between())[0] > 3);
  const [low, high] = await held();
  await t.page.keyboard.press('Shift+ArrowRight');
  await t.until('both ends have moved', async () => (await between())[1] > high);
  assert.ok((await held())[0] > low);

  // A drag over the histogram selects what it covers.
  const surface = await imdb.locator('.brush-surface').boundingBox();
  const y = surface.y + surface.height / 2;
  await t.page.keyboard.press('Escape');
  await t.untilSelected((await t.counts()).total);
  await t.drag([0.25, 0.5, 0.75].map((share) => [surface.x + surface.width * share, y]));
  await t.until('a range is set', async () => (await from.inputValue()) !== '');
  const dragged = await held();
  assert.ok(dragged[0] < dragged[1]);

  await from.fill('seven');
  await from.press('Enter');
  await imdb.getByRole('alert').waitFor();
  assert.equal(await from.getAttribute('aria-invalid'), 'true');
}, raster);

scenario('the ends of a range are dragged by the pointer', async (t) => {
  await t.openLink('link=1&table=movies&view=1:scatter:imdb:us_gross');
  await t.untilShown();
  const imdb = await t.filter('imdb');
  const surface = imdb.locator('.brush-surface');
  const low = imdb.getByRole('slider', { name: 'imdb from' });
  const high = imdb.getByRole('slider', { name: 'imdb to' });
  const between = () => {
    const [, ends] = decodeURIComponent(new URL(t.page.url()).search).match(/filter=imdb:between:([^&]+)/) ?? [];
    return ends?.split(':').map(Number);
  };
  // Takes hold of an end where it is seen, and lets go that far from there.
  const dragThumb = async (thumb, byPixels) => {
    const box = await thumb.locator('.brush-grip').boundingBox();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const before = between();
    await t.page.mouse.move(x, y);
    await t.page.mouse.down();
    await t.page.mouse.move(x + byPixels / 2, y, { steps: 3 });
    await t.page.mouse.move(x + byPixels, y, { steps: 3 });
    // Already before it is let go.
    await t.until('the range follows the pointer', async () => (await thumb.getAttribute('aria-valuenow')) !== String(before?.[thumb === low ? 0 : 1]));
    await t.page.mouse.up();
    await t.until('the address holds the range', () => between() && String(between()) !== String(before));
    const value = between();
    await t.untilSelected(await t.countOf('movies', [{ column: 'imdb', op: 'between', value }]));
    // What assistive technology is told, and what stands in the fields, is the same.
    assert.deepEqual([Number(await low.getAttribute('aria-valuenow')), Number(await high.getAttribute('aria-valuenow'))], value);
    assert.equal(Number(await imdb.getByRole('textbox', { name: 'imdb from' }).inputValue()), value[0]);
    assert.equal(Number(await imdb.getByRole('textbox', { name: 'imdb to' }).inputValue()), value[1]);
    // The end is where it was let go.
    const after = await thumb.locator('.brush-grip').boundingBox();
    assert.ok(Math.abs(after.x + after.width / 2 - (x + byPixels)) < 2, `the end is at ${after.x}, not ${x + byPixels}`);
    return value;
  };

  const field = imdb.getByRole('textbox', { name: 'imdb from' });
  await field.fill('4');
  await field.press('Enter');
  await imdb.getByRole('textbox', { name: 'imdb to' }).fill('8');
  await imdb.getByRole('textbox', { name: 'imdb to' }).press('Enter');
  await t.until('the range is typed', () => String(between()) === '4,8');
  // Until the counts are here the ends have no place.
  await t.until('the histogram is drawn', async () => ((await surface.boundingBox())?.width ?? 0) > 100);
  const width = (await surface.boundingBox()).width;

  const [raised, stays] = await dragThumb(low, width * 0.15);
  assert.ok(raised > 4 && raised < 8, `${raised}`);
  assert.equal(stays, 8);
  const [held, lowered] = await dragThumb(high, width * -0.1);
  assert.ok(lowered < 8 && lowered > raised, `${lowered}`);
  assert.equal(held, raised);
  const [back] = await dragThumb(low, width * -0.3);
  assert.ok(back < 4, `${back}`);
}, raster);

scenario('dates end with their day; a switch takes yes, no and missing', async (t) => {
  await t.open({ table: 'movies' });
  await t.untilShown();
  const date = await t.filter('release_date');
  await date.getByRole('textbox', { name: 'release_date from' }).fill('2000-01-01');
  await date.getByRole('textbox', { name: 'release_date from' }).press('Enter');
  await date.getByRole('textbox', { name: 'release_date to' }).fill('2005-12-31');
  await date.getByRole('textbox', { name: 'release_date to' }).press('Enter');
  const range = { column: 'release_date', op: 'between', value: ['2000-01-01', '2005-12-31'] };
  await t.untilSelected(await t.countOf('movies', [range]));
  await date.getByRole('textbox', { name: 'release_date from' }).fill('yesterday');
  await date.getByRole('textbox', { name: 'release_date from' }).press('Enter');
  await date.getByRole('alert').waitFor();

  await t.open({ table: 'kinds', columns: 'boolean' });
  await t.untilShown();
  const bool = await t.filter('boolean');
  for (const value of [true, false]) {
    await option(bool, String(value)).click({ modifiers: ['Alt'] });
    await t.untilSelected(await t.countOf('kinds', [{ column: 'boolean', op: 'eq', value }]));
  }
  await option(bool, 'missing').click();
  await t.untilSelected(await t.countOf('kinds', [{ column: 'boolean', op: 'is_null' }]));
}, raster);

scenario('a text is looked for literally, by case and by pattern', async (t) => {
  await t.open({ table: 'movies' });
  await t.untilShown();
  const title = await t.filter('title');
  await title.getByRole('button', { name: 'Text', exact: true }).click();
  const field = title.getByRole('textbox', { name: 'Text in title' });
  const contains = (value, case_sensitive = false) => [{ column: 'title', op: 'contains', value, case_sensitive }];
  await field.fill('love');
  await t.untilSelected(await t.countOf('movies', contains('love')));
  await title.getByRole('button', { name: 'Capital and small letters differ' }).click();
  await t.untilSelected(await t.countOf('movies', contains('love', true)));
  assert.notEqual((await t.counts()).selected, await t.countOf('movies', contains('love')));

  await title.getByRole('button', { name: 'Regular expression' }).click();
  await field.fill('^The .*(Man|Men)$');
  await t.untilSelected(
    await t.countOf('movies', [{ column: 'title', op: 'matches', value: '^The .*(Man|Men)$', case_sensitive: true }]),
  );
  const before = (await t.counts()).selected;
  assert.ok(before > 0);
  // What is no pattern says so, where it was typed, and selects by the other filters alone.
  await field.fill('^The (');
  const error = title.getByRole('alert');
  await error.waitFor();
  assert.match(await error.innerText(), /unclosed group/);
  await t.shot('bad-pattern');
  await field.fill('^The ');
  await error.waitFor({ state: 'detached' });
  await t.untilSelected(
    await t.countOf('movies', [{ column: 'title', op: 'matches', value: '^The ', case_sensitive: true }]),
  );
}, raster);

scenario('active filters are listed, cleared and brought back', async (t) => {
  await t.openLink('link=1&table=movies&filter=genre:in:Drama:Comedy');
  await t.untilShown();
  const genre = [{ column: 'genre', op: 'in', value: ['Drama', 'Comedy'] }];
  const both = [...genre, { column: 'rating', op: 'eq', value: 'R' }];
  await t.untilSelected(await t.countOf('movies', genre));
  await option(t.page.getByRole('listbox', { name: /^Values of rating/ }), 'R').click();
  await t.untilSelected(await t.countOf('movies', both));

  const main = t.page.getByRole('main');
  await main.getByRole('button', { name: 'Clear the filter of rating' }).click();
  await t.untilSelected(await t.countOf('movies', genre));
  await t.page.getByRole('button', { name: 'Undo' }).click();
  await t.untilSelected(await t.countOf('movies', both));
  await main.getByRole('button', { name: 'Clear all 2' }).click();
  const { total } = await t.counts();
  await t.untilSelected(total);
  assert.equal(await main.locator('.chip').count(), 0);
  await t.page.keyboard.press('Control+z');
  await t.untilSelected(await t.countOf('movies', both));
  await t.page.keyboard.press('Control+Shift+z');
  await t.untilSelected(total);
  await t.page.getByRole('button', { name: 'Undo' }).click();
  await t.page.getByRole('button', { name: 'Undo' }).click();
  await t.untilSelected(await t.countOf('movies', genre));

  // Nothing left: the page says which filters to loosen.
  await t.openLink('link=1&table=movies&filter=title:eq:no%20such%20film');
  await t.page.getByText('No row passes all filters.').waitFor();
  await t.shot('nothing-left');
  await t.page.getByRole('button', { name: /^Clear title/ }).click();
  await t.untilSelected(total);
}, raster);
