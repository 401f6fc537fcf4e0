// Axes of a scatter: logarithms and names, on either axis, in the browser and by the
// companion: who is shown, what is selected, and what the address says.

import assert from 'node:assert/strict';
import { scenario } from './harness.mjs';

const raster = { renderers: ['raster'] };
const count = (number) => number.toLocaleString('en');
const plotOf = (t) => t.page.getByRole('application');

// What a scatter shows of an axis when it shows all: four hundredths of room at either end.
const whole = (values) => {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [low - (high - low) * 0.04, high + (high - low) * 0.04];
};
const pixel = (value, [low, high], length) => ((value - low) / (high - low)) * length;

// Signed, and negative inside: how far a point is from the edges of an outline.
function depth([x, y], corners) {
  let inside = false;
  let nearest = Infinity;
  for (const [at, [ax, ay]] of corners.entries()) {
    const [bx, by] = corners[(at + 1) % corners.length];
    if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    const share = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
    nearest = Math.min(nearest, Math.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay)));
  }
  return inside ? -nearest : nearest;
}

async function lasso(t, corners) {
  await t.page.getByRole('button', { name: 'Select with a lasso' }).click();
  const box = await plotOf(t).boundingBox();
  await t.drag(corners.map(([x, y]) => [box.x + x, box.y + y]), 12);
}

const moneys = 'link=1&table=movies&columns=us_gross,worldwide_gross,imdb,genre';

async function moviesWith(t) {
  const rows = await t.ask({ table: 'movies', columns: ['us_gross', 'worldwide_gross', 'imdb'] });
  const there = rows.filter((row) => row.us_gross !== null && row.worldwide_gross !== null);
  const placed = there.filter((row) => row.us_gross > 0 && row.worldwide_gross > 0);
  return { there, placed, points: `${count(placed.length)} points, ${count(there.length - placed.length)} not above 0` };
}

scenario('axes of logarithms leave out what has none, and say how many', async (t) => {
  const { placed, there } = await moviesWith(t);
  assert.ok(placed.length < there.length, 'some movies earned nothing');
  await t.openLink(`${moneys}&view=1:scatter:us_gross:worldwide_gross`);
  await t.untilShown();
  const points = t.page.locator('.points');
  await t.until('all have a place', async () => (await points.innerText()) === `${count(there.length)} points`);
  await t.page.getByRole('button', { name: /^Menu of Scatter/ }).click();
  const menu = t.page.locator('.menu').filter({ hasText: 'Log axis' });
  await menu.getByRole('button', { name: 'Log axis: us_gross' }).click();
  const across = placed.length + there.filter((row) => row.us_gross > 0 && row.worldwide_gross <= 0).length;
  await t.until('one axis', async () => (await points.innerText()).startsWith(`${count(across)} points, ${count(there.length - across)} not above 0`));
  assert.match(t.parameter('view'), /::log-x$/);
  await menu.getByRole('button', { name: 'Log axis: worldwide_gross' }).click();
  const said = (await moviesWith(t)).points;
  await t.until('both axes', async () => (await points.innerText()).startsWith(said));
  assert.match(t.parameter('view'), /::log-x;log-y$/);
  const labels = await t.page.locator('.axis-x text').allTextContents();
  assert.ok(labels.length >= 3 && labels.every((label) => /^(1,000|[125]0{0,2}[kMG]?)$/.test(label)), String(labels));
  await t.page.keyboard.press('Escape');
  await t.shotsOfAll('axes-log');
  await t.page.keyboard.press('Control+z');
  await t.until('taken back', () => /::log-x$/.test(t.parameter('view')));
  await t.page.keyboard.press('Control+Shift+z');
  await t.until('and again', () => /::log-x;log-y$/.test(t.parameter('view')));
  await t.reload();
  await t.untilShown();
  await t.until('after a reload', async () => (await points.innerText()).startsWith(said));

  // The companion says the same.
  await t.openLink(`${moneys}&view=1:scatter:us_gross:worldwide_gross::log-x;log-y&budget=1`);
  await t.untilShown();
  await t.until('the companion says so', async () => (await points.innerText()) === `${said}, counted in bins`);
  assert.ok((await t.ink(plotOf(t))).share > 0.01, 'a density is drawn');
  await t.shot('axes-log-companion');
}, raster);

scenario('boxes and outlines over logarithms select what they cover', async (t) => {
  const { placed } = await moviesWith(t);
  await t.openLink(`${moneys}&view=1:scatter:us_gross:worldwide_gross::log-x;log-y`);
  await t.untilShown();
  const plot = plotOf(t);
  const { width, height, ...box } = await plot.boundingBox();
  const x = whole(placed.map((row) => Math.log10(row.us_gross)));
  const y = whole(placed.map((row) => Math.log10(row.worldwide_gross)));
  const at = (row) => [pixel(Math.log10(row.us_gross), x, width), height - pixel(Math.log10(row.worldwide_gross), y, height)];
  // A box.
  await t.page.getByRole('button', { name: 'Select by dragging' }).click();
  await t.drag([[box.x + width * 0.5, box.y + height * 0.2], [box.x + width * 0.9, box.y + height * 0.6]]);
  await t.until('a box', () => t.page.locator('.own-clause').isVisible());
  const inBox = placed.filter((row) => {
    const [left, top] = at(row);
    return left >= width * 0.5 && left <= width * 0.9 && top >= height * 0.2 && top <= height * 0.6;
  });
  const near = async (expected, slack) => {
    const { selected } = await t.counts();
    return Math.abs(selected - expected) <= slack && selected > 0;
  };
  await t.until(`about ${inBox.length} rows`, () => near(inBox.length, 6));
  const filter = t.parameter('filter');
  assert.ok(filter.length < 160, `digits as pixels tell: ${filter}`);
  const rect = await t.page.locator('.overlay rect.box').boundingBox();
  assert.ok(Math.abs(rect.x - box.x - width * 0.5) < 2 && Math.abs(rect.width - width * 0.4) < 3, JSON.stringify(rect));
  // An outline: a triangle with long sides, straight on screen.
  const corners = [[width * 0.15, height * 0.9], [width * 0.9, height * 0.85], [width * 0.8, height * 0.1]];
  await lasso(t, [...corners, corners[0]]);
  const depths = placed.map((row) => depth(at(row), corners));
  const [surely, maybe] = [depths.filter((d) => d < -2).length, depths.filter((d) => d < 2).length];
  assert.ok(surely > 50 && maybe - surely < 150, `${surely} to ${maybe}`);
  const isRight = async () => {
    const { selected } = await t.counts();
    return selected >= surely && selected <= maybe;
  };
  await t.until(`between ${surely} and ${maybe} rows`, isRight);
  await t.shot('axes-log-lasso');
  const { selected } = await t.counts();
  // The companion selects the same rows by the same address.
  await t.page.goto(`${t.page.url()}&budget=1`);
  await t.untilShown();
  await t.untilSelected(selected);
  // Closer the axis has more marks, and goes back when all is shown.
  await plot.focus();
  for (let step = 0; step < 14; step += 1) await t.page.keyboard.press('+');
  await t.until('closer', () => t.parameter('view').includes('@'));
  const labels = await t.page.locator('.axis-x text').allTextContents();
  assert.ok(labels.length >= 3 && new Set(labels).size === labels.length, String(labels));
  await t.page.keyboard.press('0');
  await t.until('all is shown', () => !t.parameter('view').includes('@'));
}, raster);

scenario('names have places along an axis, the most frequent first', async (t) => {
  const link = 'link=1&table=movies&columns=genre,imdb,rating,director&view=1:scatter:imdb:genre';
  const groups = await t.ask({ table: 'movies', columns: ['genre', 'imdb', 'rating'] });
  const tally = (rows) => {
    const counts = new Map();
    for (const { genre } of rows) if (genre !== null) counts.set(genre, (counts.get(genre) ?? 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
  };
  const order = tally(groups).map(([name]) => name);
  const placed = groups.filter((row) => row.genre !== null && row.imdb !== null);
  const points = t.page.locator('.points');
  const shortened = (name) => (name.length > 14 ? `${name.slice(0, 14)}…` : name);
  const labels = () => t.page.locator('.axis-y text').allTextContents();
  for (const budget of ['', '&budget=1']) {
    await t.openLink(`${link}${budget}`);
    await t.untilShown();
    await t.until('all with a genre', async () => (await points.innerText()).startsWith(`${count(placed.length)} points`));
    assert.deepEqual(await labels(), order.map(shortened));
    // Its legend takes room from the plot.
    if (budget) await t.page.getByText('points per bin').waitFor();
    const plot = plotOf(t);
    const { x, y, width, height } = await plot.boundingBox();
    await t.shot(`axes-names${budget ? '-companion' : ''}`);
    // A box over the second and the third, of good films.
    const many = order.length;
    const ends = [-(many - 0.5), 0.5];
    const room = (ends[1] - ends[0]) * 0.04;
    const down = (place) => ((place + 0.5 + room) / (many + 2 * room)) * height;
    const films = whole(placed.map((row) => row.imdb));
    const good = films[0] + (films[1] - films[0]) * 0.7;
    await t.page.getByRole('button', { name: 'Select by dragging' }).click();
    await t.drag([[x + width * 0.7, y + down(0.8)], [x + width * 0.99, y + down(2.1)]]);
    await t.until('a filter of names', () => (t.parameter('filter') ?? '').includes(order[1].split(' ')[0]));
    const chosen = placed.filter((row) => [order[1], order[2]].includes(row.genre));
    const expected = chosen.filter((row) => row.imdb >= good);
    const close = chosen.filter((row) => Math.abs(row.imdb - good) < 0.05).length;
    await t.until('its rows', async () => Math.abs((await t.counts()).selected - expected.length) <= close && (await t.counts()).selected > 0);
    const rect = await t.page.locator('.overlay rect.box').boundingBox();
    assert.ok(Math.abs(rect.y - y - down(0.5)) < 2 && Math.abs(rect.height - (down(2.5) - down(0.5))) < 3, 'their whole places are marked');
    await t.shot(`axes-names-box${budget ? '-companion' : ''}`);
    // An outline takes of each name what it covers.
    const corners = [[width * 0.1, down(-0.3)], [width * 0.95, down(-0.3)], [width * 0.5, down(3.3)]];
    await lasso(t, [...corners, corners[0]]);
    const covered = (row) => {
      const place = order.indexOf(row.genre);
      if (place > 3) return 0;
      const at = pixel(row.imdb, films, width);
      const ends = [place - 0.4, place + 0.4].map((edge) => (down(Math.max(edge, -0.3)) - corners[0][1]) / (corners[2][1] - corners[0][1]));
      // Widest at the top of the name's place.
      const [left, right] = [width * (0.1 + 0.4 * ends[0]), width * (0.95 - 0.45 * ends[0])];
      return Math.min(at - left, right - at);
    };
    const [surely, maybe] = [placed.filter((row) => covered(row) > 3).length, placed.filter((row) => row.genre !== null && order.indexOf(row.genre) <= 3 && covered(row) > -3).length];
    await t.until(`between ${surely} and ${maybe} rows`, async () => {
      const { selected } = await t.counts();
      return selected >= surely && selected <= maybe;
    });
    await t.shot(`axes-names-lasso${budget ? '-companion' : ''}`);
    await t.page.keyboard.press('Escape');
  }
  // Another place is at hand for those that are rare, and two axes of names.
  await t.openLink('link=1&table=movies&columns=director,rating&view=1:scatter:rating:director');
  await t.untilShown();
  const rows = await t.ask({ table: 'movies', columns: ['director', 'rating'] });
  const both = rows.filter((row) => row.director !== null && row.rating !== null);
  await t.until('all with both', async () => (await points.innerText()) === `${count(both.length)} points, 60 names and others`);
  await t.shot('axes-names-both');
  await t.openLink('link=1&table=movies&columns=director,rating&view=1:scatter:rating:director&budget=1');
  await t.untilShown();
  await t.until('by the companion', async () => (await points.innerText()) === `${count(both.length)} points, 60 names and others, counted in bins`);
}, raster);

scenario('a point among names is hovered and pinned where it is drawn', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:species:beak_length_mm:island');
  await t.untilShown();
  const plot = plotOf(t);
  await plot.focus();
  await t.page.keyboard.press('Enter');
  const record = t.page.locator('aside.pin-panel');
  await t.until('a record', () => record.isVisible());
  const rows = await t.ask({ table: 'penguins', columns: ['_row', 'species', 'beak_length_mm'] });
  const pinned = () => rows.find((row) => row._row === Number(t.parameter('pin')));
  await t.until('it is in the address', () => t.parameter('pin') !== null);
  const first = pinned();
  // The nearest to the middle is of the second species.
  const by = (species) => rows.filter((row) => row.species === species).length;
  const order = [...new Set(rows.map((row) => row.species))].sort((a, b) => by(b) - by(a));
  assert.equal(first.species, order[1]);
  await t.page.keyboard.press('ArrowRight');
  await t.until('another to the right', () => pinned() && pinned()._row !== first._row);
  assert.ok(order.indexOf(pinned().species) >= 1);
  const label = await plot.getAttribute('aria-label');
  assert.ok(label.includes(`species from ${order[0]} to ${order[2]}`), label);
  await t.shotsOfAll('axes-penguins');
}, raster);

scenario('shares of a cumulative histogram are of the rows below each edge', async (t) => {
  // Whole minutes: many rows lie on edges.
  await t.openLink('link=1&table=movies&columns=running_time_min,imdb&view=1:histogram:running_time_min:20:share&numbers=1');
  await t.untilShown();
  const table = t.page.locator('.twin');
  await t.until('its numbers', async () => (await table.locator('tr').count()) > 10);
  const [head, ...lines] = await table.locator('tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.deepEqual(head, ['from', 'to', 'rows', 'all rows', 'share below its end']);
  const column = 'running_time_min';
  const total = await t.countOf('movies', [{ column, op: 'not_null' }]);
  let onEdges = 0;
  for (const [at, line] of lines.entries()) {
    const value = Number(line[1].replaceAll(',', ''));
    const below = await t.countOf('movies', [{ column, op: at + 1 === lines.length ? 'le' : 'lt', value }]);
    onEdges += (await t.countOf('movies', [{ column, op: 'eq', value }])) > 0;
    assert.equal(line[4], (below / total).toFixed(6), String(line));
  }
  assert.ok(onEdges > 5, 'edges are values of many rows');
  assert.match(await t.page.getByRole('article').first().innerText(), /share below/);
}, raster);

scenario('points have sizes and shapes by columns of their own', async (t) => {
  await t.openLink('link=1&table=penguins&view=1:scatter:beak_length_mm:beak_depth_mm:island');
  await t.untilShown();
  const canvas = plotOf(t).locator('canvas');
  await t.untilStill(canvas);
  const plain = await canvas.screenshot();
  await t.page.getByRole('button', { name: 'How points are drawn' }).click();
  const panel = t.page.locator('.look-panel');
  await panel.getByLabel('Size by').selectOption('body_mass_g');
  await t.until('sizes are in the address', () => /:island::body_mass_g$/.test(t.parameter('view')));
  const sizes = t.page.getByRole('list', { name: 'Size: body_mass_g' });
  const rows = await t.ask({ table: 'penguins', columns: ['body_mass_g', 'species'] });
  const masses = rows.map((row) => row.body_mass_g).filter((mass) => mass !== null).sort((a, b) => a - b);
  const at = (share) => masses[Math.round((masses.length - 1) * share)];
  const [low, high] = [at(0.02), at(0.98)];
  const words = [`≤ ${count(low)} or no value`, count(Math.round((low + high) / 2)), `≥ ${count(high)}`];
  await t.until('what the sizes mean', async () => (await sizes.locator('li').allInnerTexts()).slice(1).join() === words.join());
  await t.until('another picture', async () => (await t.difference(plain, await canvas.screenshot())) > 0.005);
  const sized = await canvas.screenshot();
  await panel.getByLabel('Shape by').selectOption('species');
  await t.until('shapes are in the address', () => /:island::body_mass_g:species$/.test(t.parameter('view')));
  const shapes = t.page.getByRole('list', { name: 'Shape: species' });
  await t.until('what the shapes mean', async () => (await shapes.locator('li').allInnerTexts()).slice(1).join() === 'Adelie,Gentoo,Chinstrap,other, no value');
  await t.until('yet another picture', async () => (await t.difference(sized, await canvas.screenshot())) > 0.003);
  await t.page.keyboard.press('Escape');
  await t.shotsOfAll('axes-stamps');
  const chosen = await canvas.screenshot();
  await t.reload();
  await t.untilShown();
  await t.until('the same picture', async () => (await t.difference(chosen, await canvas.screenshot())) < 0.002);
  // Points are hovered and lassoed by their middles, and undone by one step each.
  await plotOf(t).focus();
  await t.page.keyboard.press('Enter');
  await t.until('a record', () => t.page.locator('aside.pin-panel').isVisible());
  await t.page.keyboard.press('Escape');
  await t.page.getByRole('button', { name: 'How points are drawn' }).click();
  await panel.getByLabel('Shape by').selectOption('');
  await panel.getByLabel('Size by').selectOption('');
  await t.until('alike again', () => /:island$/.test(t.parameter('view')));
  await t.page.keyboard.press('Escape');
  await t.until('the panel is closed', async () => !(await panel.isVisible()));
  await t.until('the first picture', async () => (await t.difference(plain, await canvas.screenshot())) < 0.002);
});
