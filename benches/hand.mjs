// Through the real page by real input: an address, a pointer. Times are taken inside the
// page, from the event's own time stamp to the frame after the one in which the document
// says what came of it and, where there is a canvas, its picture was done.
import { allViews, countOf, counts, overhear } from '../tests/browser/told.mjs';
import { Wire } from '../tests/browser/wire.mjs';
import { spread } from './peers/spread.js';

const SIZE = { viewport: { width: 1400, height: 900 } };
const ALL_VIEWS_MILLIS = 120_000;

const middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

// W7, W10 and the wire: fresh profiles, address to shell, first points and all views.
export async function firstPoints(browser, address, table) {
  const times = { points: [], views: [], shell: [], wire: 0 };
  for (let run = 0; run < 3; run += 1) {
    const wire = await new Wire(Number(new URL(address).port)).plugIn();
    const context = await browser.newContext(SIZE);
    const page = await context.newPage();
    await page.goto(`${wire.url}/?table=${table}`);
    const mark = async (name) => {
      await page.waitForFunction((wanted) => performance.getEntriesByName(wanted).length > 0, name, { timeout: ALL_VIEWS_MILLIS });
      return page.evaluate((wanted) => performance.getEntriesByName(wanted)[0].startTime, name);
    };
    times.shell.push(await mark('limn:shell'));
    times.points.push(await mark('limn:first-points'));
    times.views.push(await mark('limn:all-views'));
    times.wire = wire.bytesDown;
    await context.close();
    await wire.close();
  }
  return { shell: middle(times.shell), points: middle(times.points), views: middle(times.views), wire: times.wire };
}

// In the page before its own scripts: hears what its worker says, beside it.
function listen() {
  const hand = { since: null, millis: [], changed: false, drawn: false, needsPicture: false, errors: [] };
  window.limnHand = hand;
  window.limnHear = (said) => {
    if (said.startsWith('{"drawn"')) hand.note('drawn');
    if (said.startsWith('{"panicked"')) hand.errors.push(said);
  };
  hand.arm = (needsPicture) => Object.assign(hand, { since: null, changed: false, drawn: false, needsPicture });
  hand.note = (what) => {
    if (hand.since === null) return;
    hand[what] = true;
    if (!hand.changed || (hand.needsPicture && !hand.drawn)) return;
    const { since } = hand;
    hand.since = null;
    requestAnimationFrame(() => setTimeout(() => hand.millis.push(performance.now() - since)));
  };
  window.addEventListener('pointermove', (event) => { hand.since ??= event.timeStamp; }, { capture: true });
  hand.watch = (element) => new MutationObserver(() => hand.note('changed'))
    .observe(element, { attributes: true, subtree: true, childList: true, characterData: true });
}

class Hand {
  constructor(page) {
    this.page = page;
    this.unheard = 0;
  }

  // One move, and what it took; a move that changes nothing takes nothing.
  async move(x, y, { needsPicture = false, millis = 3000 } = {}) {
    await this.page.evaluate((needs) => { window.limnHand.arm(needs); window.limnHand.millis = []; }, needsPicture);
    await this.page.mouse.move(x, y);
    const heard = this.page.waitForFunction(() => window.limnHand.millis.length > 0, null, { timeout: millis, polling: 10 });
    if (!(await heard.then(() => true, () => false))) {
      this.unheard += 1;
      return null;
    }
    return this.page.evaluate(() => window.limnHand.millis[0]);
  }
}

async function opened(context, address, query) {
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', (error) => errors.push(String(error)));
  await page.addInitScript(overhear);
  await page.addInitScript(listen);
  await page.goto(`${address}/?link=1&debug=1&renderer=raster&${query}`);
  await allViews(page, ALL_VIEWS_MILLIS);
  // Columns are still written down for later when their last rows are on screen.
  await page.waitForFunction(() => !document.querySelector('.load-line'), null, { timeout: ALL_VIEWS_MILLIS });
  await page.evaluate(() => window.limnHand.watch(document.querySelector('.counts-box')));
  const check = async () => {
    errors.push(...(await page.evaluate(() => window.limnHand.errors)));
    if (errors.length > 0) throw new Error(`the page complained: ${errors}`);
  };
  return { page, hand: new Hand(page), check };
}

// What the address says is chosen of a column, as the ends of a range.
const rangeOf = (url, column) => {
  const [, low, high] = url.match(new RegExp(`filter=${column}:between:([^:&]+):([^:&]+)`)) ?? [];
  if (low === undefined) throw new Error(`no range of ${column} at ${url}`);
  return [Number(low), Number(high)];
};

async function agreed(page, what, expected) {
  const late = Date.now() + 10_000;
  for (;;) {
    const { selected } = await counts(page);
    if (selected === expected) return;
    if (Date.now() > late) throw new Error(`${what}: the page says ${selected}, the companion ${expected}`);
    await page.waitForTimeout(50);
  }
}

// W1: a brush over one histogram that moves four others.
async function brushed(context, address, { table, active, views, bins }) {
  const charts = views.map(({ column }, nth) => `&view=${nth + 2}:histogram:${column}:${bins}`).join('');
  const { page, hand, check } = await opened(context, address, `table=${table}&columns=${[active, ...views.map(({ column }) => column)]}&view=1:histogram:${active}:${bins}${charts}`);
  const surface = await page.getByRole('article', { name: `Histogram of ${active}` }).locator('.brush-surface').boundingBox();
  const height = surface.y + surface.height / 2;
  const across = (share) => surface.x + surface.width * share;
  await page.mouse.move(across(0.1), height);
  // The pointer is there a while before it presses, as a hand's is.
  await page.waitForTimeout(1000);
  await page.mouse.down();
  await page.mouse.move(across(0.11), height);
  const millis = [];
  for (let step = 1; step <= 40; step += 1) millis.push(await hand.move(across(0.12 + step * 0.02), height));
  await page.mouse.up();
  await page.waitForURL(/filter=/);
  const range = rangeOf(page.url(), active);
  await agreed(page, 'brush by hand', await countOf(address, table, [{ column: active, op: 'between', value: range }]));
  await check();
  await page.close();
  return { ...spread(millis.filter((one) => one !== null)), unheard: hand.unheard };
}

// W4 and W3: a lasso around points, corner by corner, then points under the pointer.
async function pointed(context, address, { table, lassos, viewport }) {
  const { page, hand, check } = await opened(context, address, `table=${table}&columns=id,x,y,cat,hour,price&view=1:scatter:x:y`);
  const plot = await page.getByRole('application').boundingBox();
  const at = ([x, y]) => [
    plot.x + plot.width / 2 + (x / (viewport.x[1] - viewport.x[0])) * plot.width,
    plot.y + plot.height / 2 - (y / (viewport.y[1] - viewport.y[0])) * plot.height,
  ];
  const { selected: total } = await counts(page);
  const lasso = [];
  for (const star of lassos) {
    await page.keyboard.down('Control');
    await page.keyboard.down('Shift');
    await page.mouse.move(...at(star[0]));
    await page.mouse.down();
    for (const [nth, corner] of star.entries()) {
      // From half of the corners on it is a lasso to reckon with.
      if (nth > 14) lasso.push(await hand.move(...at(corner), { needsPicture: true }));
      else if (nth > 0) await page.mouse.move(...at(corner));
    }
    await page.mouse.up();
    await page.keyboard.up('Shift');
    await page.keyboard.up('Control');
    await page.waitForFunction((total) => {
      const inside = Number(document.querySelector('.counts').title.match(/\d[\d,]*/)[0].replaceAll(',', ''));
      return inside > 0 && inside < total;
    }, total, { timeout: 30_000 });
  }
  const unheard = { lasso: hand.unheard };
  await page.keyboard.press('Escape');
  await agreed(page, 'no lasso', total);

  await page.evaluate(() => window.limnHand.watch(document.querySelector('.scatter')));
  const hover = [];
  hand.unheard = 0;
  for (let nth = 0; nth < 40; nth += 1) {
    const place = [plot.x + plot.width * (0.35 + 0.03 * (nth % 10)), plot.y + plot.height * (0.4 + 0.05 * Math.floor(nth / 10))];
    const found = await hand.move(...place, { millis: 400 });
    if (found !== null && (await page.locator('.tooltip').count()) === 1) hover.push(found);
  }
  unheard.hover = hand.unheard;
  if (hover.length < 5) throw new Error(`only ${hover.length} points under the pointer`);
  await check();
  await page.close();
  return { lasso: spread(lasso.filter((one) => one !== null)), hover: spread(hover), unheard };
}

export async function byHand(browser, address, work) {
  const context = await browser.newContext(SIZE);
  try {
    const brush = await brushed(context, address, work);
    return { brush, ...(await pointed(context, address, work)) };
  } finally {
    await context.close();
  }
}

// embedding-atlas' view in its page, by the same means: the point that it names under the
// pointer, and the count under its lasso.
export async function atlasByHand(browser, base, work) {
  const context = await browser.newContext(SIZE);
  try {
    const page = await context.newPage();
    await page.goto(`${base}/peers.html?script=atlas`);
    await page.waitForFunction('window.peersReady');
    await page.evaluate((work) => window.atlasByHand(work), work);
    const { width, height } = work;
    const heard = async (list, before) => {
      await page.waitForFunction(([list, before]) => window.atlasSaid[list].length > before, [list, before], { timeout: 60_000, polling: 20 });
      return page.evaluate((list) => window.atlasSaid[list].at(-1)[0] - window.atlasSaid.since, list);
    };
    const many = (list) => page.evaluate((list) => window.atlasSaid[list].length, list);
    const hover = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const before = await many('points');
      await page.mouse.move(width * (0.4 + 0.04 * nth), height * 0.5);
      hover.push(await heard('points', before));
    }
    const [star] = work.lassos;
    const unit = height / (work.viewport.y[1] - work.viewport.y[0]);
    const at = ([x, y]) => [width / 2 + x * unit, height / 2 - y * unit];
    await page.keyboard.down('Shift');
    await page.keyboard.down('Meta');
    await page.mouse.move(...at(star[0]));
    await page.mouse.down();
    for (const corner of star.slice(1)) await page.mouse.move(...at(corner));
    await page.mouse.up();
    // The count of the whole lasso is the last one.
    for (let before = -1; before !== (await many('counts')); await page.waitForTimeout(3000)) before = await many('counts');
    const [lasso, count, outline] = await page.evaluate(() => {
      const { counts, since } = window.atlasSaid;
      return [counts.at(-1)[0] - since, counts.at(-1)[1], window.atlasSaid.outline()];
    });
    await page.keyboard.up('Meta');
    await page.keyboard.up('Shift');
    return { hover: spread(hover), lasso, count, outline };
  } finally {
    await context.close();
  }
}
