// Charts, points and rows, all linked: brush, box, zoom, hover, colour, sort, scroll.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };

// Drags from one place to another of an element, both as shares of its width and height.
async function drag(page, element, from, to, modifier) {
  const box = await element.boundingBox();
  const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
  if (modifier) await page.keyboard.down(modifier);
  await page.mouse.move(...at(from));
  await page.mouse.down();
  const middle = from.map((share, side) => (share + to[side]) / 2);
  await page.mouse.move(...at(middle), { steps: 4 });
  await page.mouse.move(...at(to), { steps: 4 });
  await page.mouse.up();
  if (modifier) await page.keyboard.up(modifier);
}

// The clauses that the address holds, by column: `filter=column:between:low:high`.
const clausesOf = (page) =>
  new URL(page.url()).search
    .slice(1)
    .split('&')
    .filter((part) => part.startsWith('filter='))
    .map((part) => part.slice('filter='.length).split(':').map((atom) => decodeURIComponent(atom)));

scenario('a brush on a histogram filters everything else', async (t) => {
  await t.openLink('link=1&table=movies&view=1:histogram:imdb:40&view=2:bars:genre:12&view=3:scatter:us_gross:imdb');
  await t.untilShown();
  const chart = t.page.getByRole('article', { name: 'Histogram of imdb' });
  const surface = chart.locator('.brush-surface');
  await drag(t.page, surface, [0.3, 0.5], [0.6, 0.5]);
  await t.until('the address holds the range', () => clausesOf(t.page).length === 1);
  const [[column, op, low, high]] = clausesOf(t.page);
  assert.deepEqual([column, op], ['imdb', 'between']);
  const range = { column, op, value: [Number(low), Number(high)] };
  await t.untilSelected(await t.countOf('movies', [range]));
  // The bars beside it count under the range.
  const drama = await t.countOf('movies', [range, { column: 'genre', op: 'eq', value: 'Drama' }]);
  const bar = t.page.getByRole('option', { name: /^Drama/ }).locator('.bar-count');
  await t.until('Drama under the range', async () => Number((await bar.innerText()).replaceAll(',', '')) === drama);

  // Drag the middle: the range keeps its width.
  await drag(t.page, surface, [0.45, 0.5], [0.55, 0.5]);
  await t.until('the range has moved', () => clausesOf(t.page)[0][2] !== low);
  const [[, , movedLow, movedHigh]] = clausesOf(t.page);
  assert.ok(Math.abs(Number(movedHigh) - Number(movedLow) - (Number(high) - Number(low))) < 0.3);
  // A click beside it takes it away.
  const box = await surface.boundingBox();
  await t.page.mouse.click(box.x + box.width * 0.1, box.y + box.height / 2);
  await t.untilSelected((await t.counts()).total);
}, raster);

scenario('a box on the points is a filter, and stays where it was drawn', async (t) => {
  await t.openLink('link=1&table=movies&view=1:scatter:imdb:running_time_min&view=2:histogram:imdb:40');
  await t.untilShown();
  const plot = t.page.getByRole('application');
  await drag(t.page, plot, [0.4, 0.3], [0.8, 0.7], 'Shift');
  await t.until('the address holds the box', () => clausesOf(t.page).length === 1);
  // The same rows by the box's own ends: `@1:box:x:low:high:y:low:high`.
  const [[owner, shape, x, xLow, xHigh, y, yLow, yHigh]] = clausesOf(t.page);
  assert.deepEqual([owner, shape, x, y], ['@1', 'box', 'imdb', 'running_time_min']);
  const within = (column, low, high) => ({ column, op: 'between', value: [Number(low), Number(high)] });
  const selected = await t.countOf('movies', [within(x, xLow, xHigh), within(y, yLow, yHigh)]);
  await t.untilSelected(selected);
  const { total } = await t.counts();
  assert.ok(selected > 0 && selected < total);
  assert.equal(await plot.locator('rect.box').count(), 1);

  await plot.focus();
  await t.page.keyboard.press('Escape');
  await t.untilSelected(total);
  // By the button for those without a Shift key.
  await t.page.getByRole('button', { name: 'Select by dragging' }).click();
  await drag(t.page, plot, [0.4, 0.3], [0.8, 0.7]);
  await t.untilSelected(selected);
}, raster);

scenario('points zoom to the pointer, move, and come back', async (t) => {
  await t.openLink('link=1&table=zipcodes&view=1:scatter:longitude:latitude');
  await t.untilShown();
  const plot = t.page.getByRole('application');
  const canvas = plot.locator('canvas');
  await t.until('points are drawn', async () => (await t.ink(canvas)).share > 0.02);
  const before = await canvas.screenshot();
  const box = await plot.boundingBox();
  await t.page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.5);
  await t.page.mouse.wheel(0, -600);
  await t.until('another picture', async () => (await t.difference(before, await canvas.screenshot())) > 0.01);
  const back = t.page.getByRole('button', { name: 'Show everything' });
  assert.ok(await back.isEnabled());
  // What is zoomed into is in the link. The picture is taken while its tab is in front:
  // one behind another need not be drawn.
  const closer = await canvas.screenshot();
  const again = await t.newPage();
  await again.goto(t.page.url());
  await t.untilShown(again);
  const elsewhere = again.getByRole('application').locator('canvas');
  await t.until('the same picture elsewhere', async () => {
    return (await t.difference(closer, await elsewhere.screenshot())) < 0.002;
  });
  await again.close();
  await t.page.bringToFront();
  await drag(t.page, plot, [0.5, 0.5], [0.3, 0.4]);
  await back.click();
  await t.until('the first picture again', async () => (await t.difference(before, await canvas.screenshot())) < 0.002);
  // By keys.
  await plot.focus();
  await t.page.keyboard.press('+');
  await t.until('closer', async () => (await t.difference(before, await canvas.screenshot())) > 0.01);
  await t.page.keyboard.press('0');
  await t.until('everything', async () => (await t.difference(before, await canvas.screenshot())) < 0.002);
}, raster);

// What a scatter shows, as the address holds it: `@xLow:xHigh:yLow:yHigh`.
function viewportOf(page) {
  const [, numbers] = new URL(page.url()).search.match(/@([^&]+)/) ?? [];
  return numbers?.split(':').map(Number);
}

scenario('what is under the pointer stays there while zooming', async (t) => {
  await t.openLink('link=1&table=zipcodes&view=1:scatter:longitude:latitude@-130:-60:20:55');
  await t.untilShown();
  const plot = t.page.getByRole('application');
  const box = await plot.boundingBox();
  // Pointers are at whole pixels.
  const pixel = ([x, y]) => [Math.round(box.x + box.width * x), Math.round(box.y + box.height * y)];
  const under = ([x, y], [xLow, xHigh, yLow, yHigh]) => [
    xLow + ((x - box.x) / box.width) * (xHigh - xLow),
    yHigh - ((y - box.y) / box.height) * (yHigh - yLow),
  ];
  const changed = (before) =>
    t.until('the address holds another range', () => {
      const now = viewportOf(t.page);
      return String(now) !== String(before) && now;
    });
  let shown = viewportOf(t.page);
  assert.deepEqual(shown, [-130, -60, 20, 55]);
  for (const [place, wheel] of [
    [[0.7, 0.3], -200],
    [[0.7, 0.3], -200],
    [[0.15, 0.85], -120],
    [[0.02, 0.05], 300],
    [[0.9, 0.5], 100],
  ]) {
    const at = pixel(place);
    await t.page.mouse.move(...at);
    await t.page.mouse.wheel(0, wheel);
    const next = await changed(shown);
    const [width, height] = [next[1] - next[0], next[3] - next[2]];
    assert.ok(wheel < 0 ? width < shown[1] - shown[0] : width > shown[1] - shown[0], `${shown} became ${next}`);
    // Both axes alike.
    assert.ok(Math.abs(width / (shown[1] - shown[0]) - height / (shown[3] - shown[2])) < 1e-6);
    const [before, after] = [under(at, shown), under(at, next)];
    const apart = [((after[0] - before[0]) / width) * box.width, ((after[1] - before[1]) / height) * box.height];
    assert.ok(apart.every((pixels) => Math.abs(pixels) < 0.5), `${apart} pixels apart at ${place}: ${shown} became ${next}`);
    // What the plot says of itself are the same ranges, to a hundredth of their width.
    const said = (await plot.getAttribute('aria-label')).match(/longitude from (\S+) to (\S+), latitude from (\S+) to (\S+)$/);
    const numbers = said.slice(1).map((text) => Number(text.replaceAll(',', '').replace('−', '-')));
    numbers.forEach((number, index) => {
      const step = (index < 2 ? width : height) / 100;
      assert.ok(Math.abs(number - next[index]) <= step, `${said[0]} is not ${next}`);
    });
    shown = next;
  }

  // And so are the points: the one under the pointer is still the one under the pointer.
  await t.openLink('link=1&table=penguins&view=1:scatter:flipper_length_mm:body_mass_g@165:240:2500:6500');
  await t.untilShown();
  const [heaviest] = await t.ask({
    table: 'penguins',
    order_by: [{ column: 'body_mass_g', descending: true }],
    limit: 1,
  });
  const [x, y] = pixel([(heaviest.flipper_length_mm - 165) / 75, 1 - (heaviest.body_mass_g - 2500) / 4000]);
  const tooltip = t.page.locator('.tooltip');
  for (const wheel of [0, -300, -300]) {
    const before = viewportOf(t.page);
    await t.page.mouse.move(x - 40, y - 40);
    await tooltip.waitFor({ state: 'hidden' });
    await t.page.mouse.move(x, y);
    if (wheel) {
      await t.page.mouse.wheel(0, wheel);
      await changed(before);
      // A little aside, so that it is looked for again.
      await t.page.mouse.move(x + 3, y);
    }
    await t.until('the heaviest under the pointer', async () =>
      (await tooltip.innerText({ timeout: 1000 })).includes(String(heaviest.body_mass_g)),
    );
  }
}, raster);

scenario('the row under the pointer is told, and its values are the table\'s', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:flipper_length_mm:body_mass_g:species');
  await t.untilShown();
  // The heaviest one lies alone.
  const [heaviest] = await t.ask({
    table: 'penguins',
    order_by: [{ column: 'body_mass_g', descending: true }],
    limit: 1,
  });
  const plot = t.page.getByRole('application');
  const box = await plot.boundingBox();
  const label = await plot.getAttribute('aria-label');
  const number = '(−?[\\d.,]+)';
  const [xLow, xHigh, yLow, yHigh] = label
    .match(new RegExp(`flipper_length_mm from ${number} to ${number}, body_mass_g from ${number} to ${number}`))
    .slice(1)
    .map((text) => Number(text.replaceAll(',', '').replace('−', '-').replace(/[.]$/, '')));
  const x = box.x + (box.width * (heaviest.flipper_length_mm - xLow)) / (xHigh - xLow);
  const y = box.y + box.height * (1 - (heaviest.body_mass_g - yLow) / (yHigh - yLow));
  await t.page.mouse.move(x - 40, y - 30);
  await t.page.mouse.move(x, y, { steps: 3 });
  const tooltip = t.page.locator('.tooltip');
  await t.until('its values', async () => {
    const text = await tooltip.innerText();
    return text.includes(heaviest.species) && text.includes(String(heaviest.body_mass_g));
  });
  await t.shot('hover');
  await t.page.mouse.move(box.x - 30, box.y - 30);
  await tooltip.waitFor({ state: 'hidden' });
}, raster);

scenario('colour by a category and by a number, with a legend that filters', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:flipper_length_mm:body_mass_g');
  await t.untilShown();
  const view = t.page.getByRole('article', { name: /^Scatter/ });
  const plain = await t.ink(view.locator('canvas'));
  await view.getByRole('combobox', { name: 'Colour' }).selectOption('species');
  const legend = view.getByRole('list', { name: /species/ });
  await legend.waitFor();
  for (const species of ['Adelie', 'Gentoo', 'Chinstrap']) {
    const entry = legend.getByRole('button', { name: new RegExp(`^${species}`) });
    // Points have both coordinates.
    const expected = await t.countOf('penguins', [
      { column: 'species', op: 'eq', value: species },
      { column: 'flipper_length_mm', op: 'not_null' },
      { column: 'body_mass_g', op: 'not_null' },
    ]);
    assert.match(await entry.getAttribute('title'), new RegExp(`${expected}$`));
  }
  await t.until('more colours', async () => (await t.ink(view.locator('canvas'))).colours > plain.colours);
  await t.shot('colour-species');
  await legend.getByRole('button', { name: /^Gentoo/ }).click();
  await t.untilSelected(await t.countOf('penguins', [{ column: 'species', op: 'eq', value: 'Gentoo' }]));
  await legend.getByRole('button', { name: /^Gentoo/ }).click();
  await view.getByRole('combobox', { name: 'Colour' }).selectOption('beak_depth_mm');
  await view.getByRole('group', { name: /Colours of beak_depth_mm/ }).waitFor();
  await t.shot('colour-ramp');
});

scenario('rows are sorted, scrolled to their end, and their columns chosen', async (t) => {
  await t.openLink('link=1&table=flights&columns=date,delay,distance,origin&view=1:histogram:delay:40');
  await t.untilShown();
  const grid = t.page.getByRole('grid', { name: 'Rows that pass the filters' });
  const cellsOf = async (row) => (await row.getByRole('gridcell').allInnerTexts()).map((text) => text.trim());
  const firstRow = () => grid.locator('[role=rowgroup] [role=row]').first();
  const byDelay = (descending) =>
    t.ask({ table: 'flights', columns: ['delay', 'origin', 'distance'], order_by: [{ column: 'delay', descending }], limit: 1 });

  const header = grid.getByRole('columnheader', { name: /^delay/ });
  await header.getByRole('button', { name: 'delay', exact: true }).click();
  const [least] = await byDelay(false);
  await t.until('the least delay first', async () => (await cellsOf(firstRow()))[1] === String(least.delay), 60_000);
  assert.equal(await header.getAttribute('aria-sort'), 'ascending');
  await header.getByRole('button', { name: 'delay', exact: true }).click();
  const [most] = await byDelay(true);
  await t.until('the most first', async () => (await cellsOf(firstRow()))[1] === String(most.delay), 60_000);
  assert.equal(await header.getAttribute('aria-sort'), 'descending');
  // By a second column within the first.
  await grid.getByRole('columnheader', { name: /^origin/ }).getByRole('button', { name: 'origin', exact: true }).click({ modifiers: ['Shift'] });
  await t.until('two keys in the address', () => decodeURIComponent(t.page.url()).includes('sort=-delay,origin'));
  await header.locator('.head-button').click();

  // Table order again, and the very last of three million.
  await t.openLink('link=1&table=flights&columns=date,delay,distance,origin&view=1:histogram:delay:40');
  await t.untilShown();
  const [last] = await t.ask({ table: 'flights', columns: ['_row', 'delay', 'distance', 'origin'], offset: 2_999_999, limit: 1 });
  await grid.focus();
  await grid.locator('[role=gridcell]').first().click();
  await t.page.keyboard.press('Control+End');
  const row = grid.getByRole('row').filter({ has: t.page.getByRole('rowheader', { name: last._row.toLocaleString('en-US'), exact: true }) });
  await row.waitFor();
  await t.until('its values', async () => (await cellsOf(row)).includes(String(last.distance)));
  assert.deepEqual((await cellsOf(row)).slice(1), [last.delay, last.distance, last.origin].map((value) => String(value ?? '–')));
  await t.shot('last-row');

  await t.page.getByRole('button', { name: 'Columns of the rows' }).click();
  await t.page.getByRole('checkbox', { name: 'delay' }).uncheck();
  await t.until('one column fewer', async () => (await grid.getByRole('columnheader', { name: /^delay/ }).count()) === 0);
}, { ...raster, timeoutMillis: 240_000 });

scenario('rows are sorted by the keyboard', async (t) => {
  await t.openLink('link=1&table=movies&columns=title,imdb,release_date&view=1:histogram:imdb:40');
  await t.untilShown();
  const grid = t.page.getByRole('grid', { name: 'Rows that pass the filters' });
  const header = grid.getByRole('columnheader', { name: /^imdb/ });
  const button = header.getByRole('button', { name: 'imdb', exact: true });
  const places = async () =>
    (await grid.getByRole('rowheader').allInnerTexts()).slice(0, 8).map((text) => Number(text.replaceAll(',', '')));
  const expected = async (order_by) =>
    (await t.ask({ table: 'movies', columns: ['_row'], order_by, limit: 8 })).map((row) => row._row);
  const inOrder = async (what, order_by) => {
    const wanted = await expected(order_by);
    let last;
    await t.until(what, async () => String((last = await places())) === String(wanted)).catch((error) => {
      throw new Error(`${error.message}: rows ${last}, expected ${wanted}`);
    });
  };
  const hasFocus = () => button.evaluate((element) => element === document.activeElement);
  // Without the distributions under the names there is room for eight rows.
  await t.page.keyboard.press('d');

  // By Tab from the column before it; the edge between them is a stop of its own.
  await grid.getByRole('columnheader', { name: /^title/ }).getByRole('button', { name: 'title', exact: true }).focus();
  await t.page.keyboard.press('Tab');
  assert.equal(await t.page.evaluate(() => document.activeElement.getAttribute('aria-label')), 'Width of title');
  await t.page.keyboard.press('Tab');
  assert.ok(await hasFocus(), 'Tab does not reach the next column');

  assert.equal(await header.getAttribute('aria-sort'), 'none');
  await t.page.keyboard.press('Enter');
  await inOrder('the worst first', [{ column: 'imdb' }]);
  assert.equal(await header.getAttribute('aria-sort'), 'ascending');
  // The focus stays where it was, for the next press.
  assert.ok(await hasFocus(), 'the focus has left the column');
  await t.page.keyboard.press('Space');
  await inOrder('the best first', [{ column: 'imdb', descending: true }]);
  assert.equal(await header.getAttribute('aria-sort'), 'descending');
  assert.ok(await hasFocus(), 'the focus has left the column');

  // Shift adds a key.
  const date = grid.getByRole('columnheader', { name: /^release_date/ });
  await date.getByRole('button', { name: 'release_date', exact: true }).focus();
  await t.page.keyboard.press('Shift+Enter');
  await inOrder('the best, the oldest of them first', [{ column: 'imdb', descending: true }, { column: 'release_date' }]);
  assert.equal(await date.getAttribute('aria-sort'), 'ascending');
  assert.equal(await header.getAttribute('aria-sort'), 'descending');
  await t.page.keyboard.press('Shift+Enter');
  await t.page.keyboard.press('Shift+Enter');
  await button.focus();
  await t.page.keyboard.press('Enter');
  await inOrder('the order of the table', []);
  assert.equal(await header.getAttribute('aria-sort'), 'none');
}, raster);

scenario('views are moved and removed by their menus', async (t) => {
  await t.openLink('link=1&table=movies&view=1:scatter:imdb:us_gross&view=2:histogram:imdb:40&view=3:bars:genre:12');
  await t.untilShown();
  const views = t.page.getByRole('article');
  const order = async () => (await views.evaluateAll((all) => all.map((view) => view.getAttribute('aria-label')))).join();
  const choose = async (view, words) => {
    await t.page.getByRole('button', { name: `Menu of ${view}` }).click();
    const menu = t.page.getByRole('dialog', { name: `Menu of ${view}` });
    await menu.getByText('Remove').waitFor();
    // Nothing but what it offers stands in it.
    const offered = (await menu.innerText()).split('\n').map((line) => line.trim()).filter(Boolean);
    assert.deepEqual(offered.slice(-5), ['Move forward', 'Move back', 'Save as PNG', 'Save as SVG', 'Remove'], view);
    await menu.getByRole('button', { name: words, exact: true }).click();
    await menu.waitFor({ state: 'hidden' });
  };
  const [scatter, histogram, bars] = (await order()).split(',');
  await choose(histogram, 'Move back');
  await t.until('the bars before the histogram', async () => (await order()) === [scatter, bars, histogram].join());
  await choose(histogram, 'Move forward');
  await t.until('the histogram before the bars', async () => (await order()) === [scatter, histogram, bars].join());
  // The first goes no further forward, the last no further back.
  await t.page.getByRole('button', { name: `Menu of ${scatter}` }).click();
  assert.ok(await t.page.getByRole('button', { name: 'Move forward', exact: true }).isDisabled());
  await t.page.keyboard.press('Escape');
  await t.page.getByRole('button', { name: `Menu of ${bars}` }).click();
  assert.ok(await t.page.getByRole('button', { name: 'Move back', exact: true }).isDisabled());
  await t.page.keyboard.press('Escape');
  await choose(histogram, 'Remove');
  await t.until('one view fewer', async () => (await order()) === [scatter, bars].join());
  // Undone like filters, one step after the other.
  await t.page.keyboard.press('Control+z');
  await t.until('the histogram is back', async () => (await order()) === [scatter, histogram, bars].join());
  await t.page.keyboard.press('Control+z');
  await t.until('before the last move', async () => (await order()) === [scatter, bars, histogram].join());
  await t.page.keyboard.press('Control+Shift+z');
  await t.page.keyboard.press('Control+Shift+z');
  await t.until('and gone again', async () => (await order()) === [scatter, bars].join());
}, raster);

scenario('a lasso selects what it encloses, is added to and taken from, and is in the link', async (t) => {
  await t.openLink('link=1&table=zipcodes&view=1:scatter:longitude:latitude');
  await t.untilShown();
  const { total } = await t.counts();
  const plot = t.page.getByRole('application');
  const box = await plot.boundingBox();
  const draw = async (corners, keys = []) => {
    for (const key of keys) await t.page.keyboard.down(key);
    const places = corners.map(([x, y]) => [box.x + box.width * x, box.y + box.height * y]);
    await t.page.mouse.move(...places[0]);
    await t.page.mouse.down();
    for (const place of [...places.slice(1), places[0]]) await t.page.mouse.move(...place, { steps: 8 });
    await t.page.mouse.up();
    for (const key of keys) await t.page.keyboard.up(key);
  };
  const lasso = t.page.getByRole('button', { name: 'Select with a lasso' });
  await lasso.click();
  await draw([[0.25, 0.25], [0.36, 0.27], [0.35, 0.5], [0.27, 0.48]]);
  await t.until('the address holds the outline', () => clausesOf(t.page)[0]?.[1] === 'lasso');
  const [[owner, , x, y, ...numbers]] = clausesOf(t.page);
  assert.deepEqual([owner, x, y], ['@1', 'longitude', 'latitude']);
  const polygon = [];
  for (let i = 0; i < numbers.length; i += 2) polygon.push([Number(numbers[i]), Number(numbers[i + 1])]);
  assert.ok(polygon.length >= 4 && polygon.length < 12, `${polygon.length} corners`);
  const within = { columns: [x, y], op: 'within', value: polygon };
  const first = await t.countOf('zipcodes', [within]);
  assert.ok(first > 1000 && first < total);
  await t.untilSelected(first);
  assert.equal(await plot.locator('path.box').count(), 1);
  await t.shot('lasso');

  // The same link elsewhere.
  const again = await t.newPage();
  await again.goto(t.page.url());
  await t.untilSelected(first, again);
  await again.close();
  await t.page.bringToFront();

  // More, less, and back.
  await lasso.click();
  await draw([[0.03, 0.01], [0.17, 0.01], [0.17, 0.2], [0.03, 0.22]], ['Shift']);
  await t.until('more is selected', async () => (await t.counts()).selected > first);
  const both = (await t.counts()).selected;
  await draw([[0.005, 0.005], [0.18, 0.005], [0.18, 0.24], [0.005, 0.24]], ['Alt']);
  await t.untilSelected(first);
  assert.equal(await plot.locator('path.hole').count(), 1);
  await t.page.keyboard.press('Control+z');
  await t.untilSelected(both);
  await plot.focus();
  await t.page.keyboard.press('Escape');
  await t.untilSelected(total);

  // By keys alone, with no tool chosen.
  await draw([[0.25, 0.25], [0.36, 0.27], [0.35, 0.5], [0.27, 0.48]], ['Control', 'Shift']);
  await t.until('an outline again', async () => clausesOf(t.page)[0]?.[1] === 'lasso');
}, raster);

// Takes what a menu of a view saves: its name and its bytes.
async function saved(t, view, entry) {
  await t.page.getByRole('button', { name: `Menu of ${view}` }).click();
  const [download] = await Promise.all([
    t.page.waitForEvent('download'),
    t.page.getByRole('dialog', { name: `Menu of ${view}` }).getByRole('button', { name: entry }).click(),
  ]);
  const chunks = [];
  for await (const chunk of await download.createReadStream()) chunks.push(chunk);
  return { name: download.suggestedFilename(), bytes: Buffer.concat(chunks) };
}

scenario('views are saved as figures on white ground', async (t) => {
  await t.setTheme('dark');
  await t.openLink('link=1&table=penguins&filter=species:in:Adelie:Gentoo&view=1:scatter:flipper_length_mm:body_mass_g:species&view=2:histogram:beak_length_mm:40&view=3:bars:island:12');
  await t.untilShown();
  const { selected, total } = await t.counts();
  const scatter = await saved(t, 'Scatter of body_mass_g by flipper_length_mm', 'Save as PNG');
  assert.match(scatter.name, /^penguins-body_mass_g-by-flipper_length_mm\.png$/);
  t.stage.gallery.save(`${t.renderer}/figure-scatter`, scatter.bytes);
  const { colours, share } = await t.stage.gallery.ink(scatter.bytes);
  assert.ok(colours > 20 && share < 0.5, `${colours} colours on ${share} of the picture`);
  for (const [view, words] of [
    ['Scatter of body_mass_g by flipper_length_mm', ['Adelie', 'Gentoo', 'data:image/png;base64,']],
    ['Histogram of beak_length_mm', ['beak_length_mm', 'rows']],
    ['Values of island', ['Biscoe', 'Torgersen', 'rows by island']],
  ]) {
    const { name, bytes } = await saved(t, view, 'Save as SVG');
    assert.match(name, /\.svg$/);
    const text = bytes.toString('utf8');
    for (const word of [...words, `${selected} of ${total} rows`, 'table=penguins']) assert.ok(text.includes(word), `${view} lacks ${word}`);
    // A browser reads it as a document without a fault, and as a picture.
    const read = await t.page.evaluate(async (text) => {
      const fault = new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror');
      const image = new Image();
      image.src = URL.createObjectURL(new Blob([text], { type: 'image/svg+xml' }));
      await image.decode();
      return { fault: fault?.textContent ?? null, width: image.width };
    }, text);
    assert.equal(read.fault, null);
    assert.ok(read.width > 760, `${read.width} pixels wide`);
  }
  const histogram = await saved(t, 'Histogram of beak_length_mm', 'Save as PNG');
  t.stage.gallery.save(`${t.renderer}/figure-histogram`, histogram.bytes);
  const bars = await saved(t, 'Values of island', 'Save as PNG');
  t.stage.gallery.save(`${t.renderer}/figure-bars`, bars.bytes);
}, raster);
