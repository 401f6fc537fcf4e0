// One that walks through the page: what it may do, and whether the page says after it what
// a fresh page says. Everything by chance comes from one generator.

import { Scales, noteMemories } from './scales.mjs';
import { allViews, overhear } from './told.mjs';

export function chance(seed) {
  let state = seed >>> 0;
  const next = () => {
    // Of more than the last bits, which repeat soon.
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { next, below: (count) => Math.floor(next() * count), one: (list) => list[Math.floor(next() * list.length)] };
}

const QUIET_MILLIS = 30_000;
const VIEWS_MILLIS = 60_000;
// Changes that can be undone.
const HISTORY = 200;
// Words that find most of what the palette has.
const WORDS = ['add view', 'bars', 'box', 'chart', 'clear', 'colour', 'columns', 'compare', 'contours', 'copy', 'cumulative', 'density',
  'distribution', 'draw', 'filter', 'heat', 'hide', 'histogram', 'keep', 'line', 'load', 'log', 'names', 'numbers', 'pin', 'play', 'points',
  'redo', 'row', 'save', 'scatter', 'search', 'show', 'sort', 'table', 'undo', 'version', 'view', 'violin'];
// What asks the system for a file, and other tables: the walk stays on its own.
const NOT_TAKEN = /^Open |^Choose a table|^Add a file|folder|^Colours: as the system/;

// In the page before its own scripts: the last answer about all views.
function listen() {
  const heard = { views: null };
  window.limnHeard = heard;
  window.limnHear = (said) => {
    if (said.startsWith('{"views"')) heard.views = said;
  };
}

export class Walker {
  constructor({ browser, url, query, columns, size, random }) {
    Object.assign(this, { browser, url, query, columns, size, random, colorScheme: 'light' });
    this.said = [];
    this.problems = [];
  }

  async open() {
    this.context = await this.#profile();
    this.page = await this.context.newPage();
    this.#hear(this.page, 'the walk');
    await this.page.goto(`${this.url}/?${this.query}`, { waitUntil: 'load' });
    await allViews(this.page, VIEWS_MILLIS);
    this.scales = await new Scales().put(this.page);
  }

  nKinds() {
    return new Set(this.said.map((line) => line.replace(/^\d+: /, ''))).size;
  }

  // What takes the most room, once, since a program's memory never shrinks again: a full
  // history, every column, much to draw.
  async spread() {
    // Steps of a walk are larger than those of a key: boxes and outlines, over and over.
    const { box, lasso } = this.#actions();
    for (let nth = 0; nth < HISTORY; nth += 1) {
      const [, act] = nth % 3 ? box : lasso;
      await act();
      await this.#quiet(this.page);
    }
    for (const label of ['Load every column', 'Add a view: Violin plot']) {
      await this.#command(label, label);
      await this.#quiet(this.page);
    }
    await this.back();
  }

  // Steps, then a fresh page at the same address; what went wrong comes back.
  async round(nSteps) {
    const actions = Object.entries(this.#actions()).flatMap(([name, [weight, act]]) => Array.from({ length: weight }, () => [name, act]));
    for (let step = 0; step < nSteps && this.problems.length === 0; step += 1) {
      const [name, act] = this.random.one(actions);
      const at = this.said.length;
      this.said.push(`${at + 1}: ${name}`);
      try {
        const what = await act();
        if (what) this.said[at] += ` ${what}`;
        await this.#quiet(this.page);
      } catch (error) {
        this.problems.push(`${this.said[at]}: ${String(error.message ?? error).split('\n')[0]}`);
      }
      await this.#checkViews(this.page, this.said[at]);
    }
    const failed = (error) => this.problems.push(`beside a fresh page at ${this.page.url()}: ${String(error.message ?? error).split('\n')[0]}`);
    if (this.problems.length === 0) await this.#compare().catch(failed);
    return this.problems.splice(0);
  }

  // To where the walk began, without a reload: what was held is held still.
  async back() {
    await this.#closeAll();
    await this.page.setViewportSize(this.size);
    await this.#wear('light');
    await this.#go(this.page, `/?${this.query}`);
    // What is open in the side panel is no part of the address.
    await this.page.locator('.filter-toggle[aria-expanded="true"]').evaluateAll((all) => all.forEach((toggle) => toggle.click()));
    await this.page.mouse.move(2, 2);
    await this.#quiet(this.page);
  }

  // What page and worker hold once all that nobody needs is given back.
  held() {
    return this.scales.weigh();
  }

  async #profile() {
    const context = await this.browser.newContext({ viewport: this.size, colorScheme: 'light', acceptDownloads: true });
    context.setDefaultTimeout(QUIET_MILLIS);
    await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: this.url });
    await context.addInitScript(overhear);
    await context.addInitScript(listen);
    await noteMemories(context);
    return context;
  }

  async #wear(colorScheme) {
    this.colorScheme = colorScheme;
    await this.page.emulateMedia({ colorScheme });
  }

  #hear(page, who) {
    page.on('console', (message) => {
      if (message.type() === 'error') this.problems.push(`${who}, console: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.problems.push(`${who}: ${error.stack ?? error}`));
    page.on('crash', () => this.problems.push(`${who}: crashed`));
    page.on('download', (download) => download.delete().catch(() => {}));
    page.on('filechooser', () => {});
  }

  async #go(page, path) {
    await page.evaluate((path) => {
      history.pushState(null, '', path);
      dispatchEvent(new PopStateEvent('popstate'));
    }, path);
  }

  // Nothing is awaited any more: answers have come, and the last of them has been the same
  // for some frames.
  async #quiet(page) {
    await page.waitForFunction(() => {
      const now = `${window.limnHeard.views?.length} ${document.querySelectorAll('.view.waiting').length} ${location.href}`;
      const before = window.limnQuiet ?? { now: '', since: 0 };
      if (now !== before.now) window.limnQuiet = { now, since: performance.now() };
      const isWaiting = document.querySelector('.view.waiting') !== null || [...document.querySelectorAll('.share')].some((share) => share.textContent === 'so far');
      const isPlaying = document.querySelector('button[aria-label="Pause"]') !== null;
      return isPlaying || (!isWaiting && now === before.now && performance.now() - before.since > 150);
    }, null, { polling: 50 });
  }

  async #checkViews(page, after) {
    const failed = await page.locator('.view-failed').allInnerTexts();
    if (failed.length > 0) this.problems.push(`a view failed after ${after}: ${failed} at ${page.url()}`);
    const stopped = await page.locator('.load-line.stopped').allInnerTexts();
    if (stopped.length > 0) this.problems.push(`a load ended after ${after}: ${stopped} at ${page.url()}`);
  }

  // Dialogs, menus and the player's motion end.
  async #closeAll() {
    const pause = this.page.getByRole('button', { name: 'Pause', exact: true });
    if (await pause.count()) await pause.first().click();
    for (let nth = 0; nth < 3; nth += 1) await this.page.keyboard.press('Escape');
  }

  // The text of all views and the last answer about them, with the selection's count.
  async #says(page) {
    const answer = await page.evaluate(() => {
      const { views } = JSON.parse(window.limnHeard.views);
      const { selected, total, complete, results, clause_errors } = views;
      // What the side panel asks for besides has the higher half of the ids.
      const own = results.filter(({ id }) => id < 2 ** 31).sort((a, b) => a.id - b.id);
      return { selected, total, complete, clause_errors, results: own };
    });
    const texts = await page.getByRole('main').getByRole('article').evaluateAll((all) => all.map((view) => `${view.ariaLabel}: ${view.querySelector('.twin')?.innerText ?? ''}`));
    return { answer, counts: await page.locator('.counts').getAttribute('title'), texts };
  }

  async #compare() {
    await this.#closeAll();
    // A narrow screen shows one part of the page, and which is no part of the address.
    await this.page.setViewportSize(this.size);
    await this.#quiet(this.page);
    // Every view as a table of its numbers too.
    const ids = await this.page.locator('main [data-view]').evaluateAll((all) => all.map((view) => view.dataset.view));
    if (ids.length === 0) return;
    // As it stands: what is encoded in it is data, what is bare separates.
    const { pathname, search } = new URL(this.page.url());
    const path = `${pathname}${search.replace(/&numbers=[^&]*/, '')}&numbers=${ids.join(',')}`;
    await this.#go(this.page, path);
    await this.#quiet(this.page);
    const context = await this.#profile();
    try {
      await context.addInitScript((theme) => { if (theme) localStorage.setItem('limn.theme', theme); }, await this.page.evaluate(() => localStorage.getItem('limn.theme')));
      const fresh = await context.newPage();
      this.#hear(fresh, 'a fresh page');
      // Ramps have other colours in the dark.
      await fresh.emulateMedia({ colorScheme: this.colorScheme });
      await fresh.goto(`${this.url}${path}`, { waitUntil: 'load' });
      await allViews(fresh, VIEWS_MILLIS);
      await this.#quiet(fresh);
      const late = Date.now() + QUIET_MILLIS;
      for (;;) {
        const [ours, theirs] = [await this.#says(this.page), await this.#says(fresh)];
        const found = difference(ours, theirs);
        if (!found) break;
        if (Date.now() > late) {
          this.problems.push(`a fresh page says otherwise at ${path}: ${found}`);
          break;
        }
        await fresh.waitForTimeout(200);
      }
      await this.#checkViews(fresh, `a fresh page at ${path}`);
    } finally {
      await context.close();
    }
  }

  #actions() {
    const { page, random } = this;
    const { mouse, keyboard } = page;
    const main = page.getByRole('main');
    const place = async (locator) => {
      const count = await locator.count();
      if (count === 0) return null;
      const one = locator.nth(random.below(count));
      // What an answer or another size takes away meanwhile is nothing to act on.
      await one.scrollIntoViewIfNeeded({ timeout: 5000 }).catch(() => {});
      return one.boundingBox({ timeout: 1000 }).catch(() => null);
    };
    const within = (box) => [box.x + box.width * (0.05 + 0.9 * random.next()), box.y + box.height * (0.1 + 0.8 * random.next())];
    const drag = async (locator, ...keys) => {
      const box = await place(locator);
      if (!box) return 'of nothing';
      for (const key of keys) await keyboard.down(key);
      await mouse.move(...within(box));
      await mouse.down();
      for (let nth = 0; nth < (keys.length > 1 ? 6 : 2); nth += 1) await mouse.move(...within(box), { steps: 3 });
      await mouse.up();
      for (const key of keys) await keyboard.up(key);
      return '';
    };
    const plots = main.locator('.plot:visible');
    const press = (key) => async () => { await this.#closeAll(); await page.keyboard.press(key); };
    return {
      palette: [14, () => this.#command(random.next() < 0.3 ? random.one(this.columns) : random.one(WORDS))],
      'click a bar': [4, async () => {
        const box = await place(main.locator('.bar-row:visible'));
        if (box) await mouse.click(...within(box));
      }],
      brush: [5, () => drag(main.locator('.brush-surface:visible'))],
      box: [3, () => drag(plots, 'Shift')],
      lasso: [2, () => drag(plots, 'Control', 'Shift')],
      'move the points': [2, () => drag(plots)],
      zoom: [3, async () => {
        const box = await place(plots);
        if (!box) return;
        await mouse.move(...within(box));
        await mouse.wheel(0, random.one([-300, -100, 100, 300]));
      }],
      'point at': [3, async () => {
        const box = await place(main.locator('.view-chart:visible'));
        if (box) for (let nth = 0; nth < 4; nth += 1) await mouse.move(...within(box), { steps: 2 });
      }],
      pin: [2, async () => {
        const box = await place(plots);
        if (box) await mouse.click(...within(box));
      }],
      'scroll the rows': [3, async () => {
        const box = await place(page.getByRole('grid'));
        if (!box) return;
        await mouse.move(...within(box));
        await mouse.wheel(0, random.one([-20_000, -400, 400, 20_000]));
      }],
      undo: [5, press('Control+z')],
      redo: [3, press('Control+Shift+z')],
      clear: [1, press('x')],
      shapes: [1, press('c')],
      'side panel': [1, press('b')],
      'back and forward': [1, async () => {
        await page.evaluate(() => history.back());
        await page.waitForTimeout(50);
        await page.evaluate(() => history.forward());
      }],
      theme: [1, () => this.#wear(random.one(['light', 'dark']))],
      size: [1, () => page.setViewportSize(random.one([this.size, { width: 1024, height: 720 }, { width: 390, height: 844 }]))],
    };
  }

  // Opens the palette, types, and takes one of what is found, or the one that is named.
  async #command(typed, named) {
    const { page, random } = this;
    await this.#closeAll();
    await page.keyboard.press('Control+k');
    const list = page.locator('#palette-list');
    await list.waitFor();
    await page.keyboard.type(typed);
    const labels = await list.locator('.palette-label').allInnerTexts();
    const choices = labels.map((label, nth) => [label, nth]).filter(([label]) => (named ? label === named : !NOT_TAKEN.test(label)));
    if (choices.length === 0) {
      if (named) throw new Error(`the palette has no ${named}`);
      await page.keyboard.press('Escape');
      return 'found nothing';
    }
    const [label, nth] = random.one(choices);
    await list.getByRole('option').nth(nth).click();
    // What stays open, a dialog or a field, is closed by the next step.
    return label;
  }
}

// The first place where two are not the same, in words.
function difference(ours, theirs, at = '') {
  if (typeof ours !== typeof theirs || ours === null || theirs === null || typeof ours !== 'object') {
    return ours === theirs ? null : `${at}: ${JSON.stringify(ours)?.slice(0, 200)} in the walk, ${JSON.stringify(theirs)?.slice(0, 200)} afresh`;
  }
  for (const key of new Set([...Object.keys(ours), ...Object.keys(theirs)])) {
    const found = difference(ours[key], theirs[key], `${at}/${key}`);
    if (found) return found;
  }
  return null;
}
