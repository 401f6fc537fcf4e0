// How scatters are drawn: colours and their ends, densities and their counts, contours,
// names, records of points, and a column that is played.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };
const number = (text) => Number(text.replaceAll(',', '').match(/-?[\d.]+/)[0]);

async function openLook(t) {
  await t.page.getByRole('button', { name: 'How points are drawn' }).click();
  return t.page.locator('.look-panel');
}

scenario('colours run between percentiles, and the legend counts what is beyond', async (t) => {
  const link = 'link=1&table=movies&columns=imdb,running_time_min,us_gross';
  await t.openLink(`${link}&view=1:scatter:imdb:running_time_min:us_gross:clip10-80`);
  await t.untilShown();
  const rows = await t.ask({ table: 'movies', columns: ['imdb', 'running_time_min', 'us_gross'] });
  const values = rows.map((row) => row.us_gross).filter((value) => value !== null).sort((a, b) => a - b);
  const at = (share) => values[Math.round((values.length - 1) * share)];
  const [low, high] = [at(0.1), at(0.8)];
  const placed = rows.filter((row) => row.imdb !== null && row.running_time_min !== null);
  const count = (test) => placed.filter((row) => test(row.us_gross)).length;
  const expected = [
    count((value) => value !== null && value < low),
    count((value) => value !== null && value > high),
    count((value) => value === null),
  ];
  const legend = t.page.getByRole('group', { name: /^Colours of us_gross/ });
  const said = async () => {
    const titles = await legend.locator('[title]').evaluateAll((all) => all.map((one) => one.title));
    const of = (word) => number(titles.find((title) => title.includes(word))?.replace(/^no value: /, '') ?? '0');
    return [of('below'), of('above'), of('no value')];
  };
  await t.until('the legend says what is beyond', async () => String(await said()) === String(expected));
  assert.ok(expected[0] > 0 && expected[1] > 0, String(expected));

  // Other spreads are in the address, have another middle, and survive a reload.
  const panel = await openLook(t);
  const canvas = t.page.getByRole('application').locator('canvas');
  const before = await canvas.screenshot();
  await panel.getByRole('button', { name: 'equalised' }).first().click();
  await t.until('the address says so', () => t.page.url().includes(':equal;clip10-80'));
  await t.until('another picture', async () => (await t.difference(before, await canvas.screenshot())) > 0.003);
  await t.shot('scatter-look');
  const inner = values.filter((value) => value >= low && value <= high);
  const middle = legend.locator('.colors span');
  await t.until('the middle is the median', async () => {
    const text = await middle.innerText();
    return text && Math.abs(number(text.replace(/M$/, '')) * (text.endsWith('M') ? 1e6 : 1) - inner[inner.length >> 1]) < 2e6;
  });
  await panel.getByRole('button', { name: 'cividis' }).click();
  await panel.getByRole('slider', { name: 'Size' }).fill('60');
  await t.until('size and ramp', () => /equal;clip10-80;cividis;size60/.test(t.page.url()));
  await t.page.keyboard.press('Escape');
  const chosen = await canvas.screenshot();
  await t.reload();
  await t.untilShown();
  await t.until('the same picture', async () => (await t.difference(chosen, await canvas.screenshot())) < 0.002);
}, raster);

scenario('a density says what its colours mean, exactly', async (t) => {
  await t.openLink('link=1&table=zipcodes&view=1:scatter:longitude:latitude::density');
  await t.untilShown();
  const total = await t.countOf('zipcodes', [{ column: 'longitude', op: 'not_null' }, { column: 'latitude', op: 'not_null' }]);
  const counts = t.page.locator('.cells');
  await t.until('all points are in view', async () => (await counts.innerText()).includes(`${total.toLocaleString('en')} in view`));
  const most = async () => number((await counts.getAttribute('aria-label')).replace('1 to ', ''));
  const all = await most();
  assert.ok(all > 2 && all < total, `${all} of ${total}`);
  await t.shot('scatter-density');

  // Under a filter of another column the counts are of what passes.
  await t.openLink('link=1&table=zipcodes&filter=latitude:between:40:45&view=1:scatter:longitude:latitude::density;contours;ranked');
  await t.untilShown();
  const passing = await t.countOf('zipcodes', [{ column: 'latitude', op: 'between', value: [40, 45] }]);
  await t.until('those that pass', async () => (await counts.innerText()).includes(`${passing.toLocaleString('en')} in view`));
  await t.until('contours', async () => (await t.page.locator('.contours path').count()) > 2);
  await t.shot('scatter-contours');
  // Closer there are so few that points say it all.
  const plot = t.page.getByRole('application');
  await plot.focus();
  for (let step = 0; step < 24; step += 1) await t.page.keyboard.press('+');
  await t.until('contours give way', async () => {
    const opacity = await t.page.locator('.contours').evaluate((group) => getComputedStyle(group).opacity);
    return Number(opacity) === 0 || (await t.page.locator('.contours path').count()) === 0;
  });
}, raster);

scenario('names of categories are where most of each are, and never overlap', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:beak_length_mm:beak_depth_mm:species:labels');
  await t.untilShown();
  const names = t.page.locator('.names text');
  await t.until('a name for each species', async () => (await names.count()) === 3);
  assert.deepEqual((await names.allTextContents()).sort(), ['Adelie', 'Chinstrap', 'Gentoo']);
  const boxes = await names.evaluateAll((all) => all.map((one) => one.getBoundingClientRect().toJSON()));
  for (const [at, one] of boxes.entries()) {
    for (const other of boxes.slice(0, at)) {
      const apart = one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
      assert.ok(apart, JSON.stringify([one, other]));
    }
  }
  // Each name is among its own: the mean of its species is near it.
  const rows = await t.ask({ table: 'penguins', columns: ['beak_length_mm', 'beak_depth_mm', 'species'] });
  const plot = await t.page.getByRole('application').boundingBox();
  const texts = await names.allTextContents();
  const middles = boxes.map((box) => (box.left + box.right) / 2 - plot.x);
  const mean = (species) => {
    const own = rows.filter((row) => row.species === species && row.beak_length_mm !== null).map((row) => row.beak_length_mm);
    return own.reduce((sum, value) => sum + value, 0) / own.length;
  };
  const order = (values) => values.map((_, at) => at).sort((a, b) => values[a] - values[b]).map((at) => texts[at]);
  assert.equal(order(middles)[0], order(texts.map(mean))[0], 'the leftmost name is of the leftmost species');
  await t.shot('scatter-names');
}, raster);

scenario('a click pins a record, arrows go on from it, and Escape lets it go', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:beak_length_mm:beak_depth_mm:species');
  await t.untilShown();
  const plot = t.page.getByRole('application');
  await plot.focus();
  await t.page.keyboard.press('Enter');
  const record = t.page.locator('aside.pin-panel');
  await t.until('a record', () => record.isVisible());
  const rows = await t.ask({ table: 'penguins', columns: ['_row', 'beak_length_mm', 'beak_depth_mm', 'species', 'island'] });
  const pinned = () => Number(t.parameter('pin'));
  const said = async (name) => record.locator(`dt:text-is("${name}") + dd`).innerText();
  const isOf = async () => {
    const row = rows.find((one) => one._row === pinned());
    return row && Number(await said('beak_length_mm')) === row.beak_length_mm && (await said('species')) === row.species;
  };
  await t.until('its values', isOf);
  const first = rows.find((row) => row._row === pinned());
  await t.page.keyboard.press('ArrowRight');
  await t.until('another to the right', async () => pinned() !== first._row && (await isOf()));
  const second = rows.find((row) => row._row === pinned());
  assert.ok(second.beak_length_mm > first.beak_length_mm);
  await t.shot('scatter-record');
  await t.reload();
  await t.untilShown();
  await t.until('the record is in the address', async () => (await record.isVisible()) && isOf());
  await plot.focus();
  await t.page.keyboard.press('Escape');
  await t.until('it is let go', async () => !(await record.isVisible()) && t.parameter('pin') === null);
  // By the pointer: on a point, then on nothing.
  const box = await plot.boundingBox();
  await t.page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await plot.press('Enter');
  await t.until('a record again', () => record.isVisible());
  await t.page.mouse.click(box.x + 3, box.y + 3);
  await t.until('nothing is there', async () => !(await record.isVisible()));
}, raster);

scenario('a column is played: its filter moves, and every view follows', async (t) => {
  await t.openLink('link=1&table=flights&view=1:scatter:distance:delay&play=distance:10:16');
  await t.untilShown();
  const player = t.page.getByRole('group', { name: 'Play over distance' });
  const { total } = await t.counts();
  await player.getByRole('button', { name: 'Step forward' }).click();
  const clause = () => t.parameter('filter')?.split(':');
  await t.until('a window', () => clause()?.[0] === 'distance');
  const [, , low, high] = clause();
  const selected = await t.countOf('flights', [{ column: 'distance', op: 'between', value: [Number(low), Number(high)] }]);
  await t.untilSelected(selected);
  assert.ok(selected > 0 && selected < total);
  await player.getByRole('button', { name: 'Play', exact: true }).click();
  await t.until('it moves', async () => (await t.counts()).selected !== selected);
  await t.page.getByRole('application').focus();
  await t.page.keyboard.press(' ');
  await t.until('it stands', () => player.getByRole('button', { name: 'Play', exact: true }).isVisible());
  const [, , nowLow, nowHigh] = clause();
  assert.ok(nowLow !== low);
  await t.untilSelected(await t.countOf('flights', [{ column: 'distance', op: 'between', value: [Number(nowLow), Number(nowHigh)] }]));
  await t.shot('scatter-player');
  // Where motion is not wanted playing is a step.
  await t.page.emulateMedia({ reducedMotion: 'reduce' });
  await player.getByRole('button', { name: 'Play', exact: true }).click();
  await t.until('a step', () => clause()[2] !== nowLow);
  assert.ok(await player.getByRole('button', { name: 'Play', exact: true }).isVisible());
  await player.getByRole('button', { name: 'Close the player' }).click();
  await t.until('it is gone', () => t.parameter('play') === null);
}, raster);
