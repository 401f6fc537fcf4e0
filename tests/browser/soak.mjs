// make soak's walk: for minutes on end, by chance but the same for the same seed, through
// the page's commands and what a hand may do, on a real table with the companion behind.
//
//     node tests/browser/soak.mjs [--minutes 30] [--seed N] [--rounds N] [--table flights]
//
// Each round is some thirty steps. After it a fresh page, in a profile of its own, opens the
// address that the walk came to and must say the same; then the walk goes back to where it
// began, and what page and worker hold is weighed. Nothing may have gone wrong, and what
// is held may not grow by more than a tenth after the warm-up.

import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { Server, ROOT } from './server.mjs';
import { Walker, chance } from './walker.mjs';

const { values: flags } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    rounds: { type: 'string' },
    table: { type: 'string', default: 'flights' },
  },
});
const SEED = Number(flags.seed);
const ROUNDS_MAX = Number(flags.rounds ?? Infinity);
const UNTIL = Date.now() + Number(flags.minutes) * 60_000;
const STEPS_A_ROUND = 30;
// Rounds before what is held counts, and a share of the time: caches fill, memory that a
// program once grew to stays its own.
const WARM_ROUNDS = 3;
const WARM_SHARE = 0.3;
const GROWTH_MAX = 1.1;
// Too little to tell from noise. What is in use is told to the byte.
const SLACK_BYTES = 1_500_000;
const SLACK_IN_USE = 300_000;
const SIZE = { width: 1280, height: 860 };
const FLAGS = ['--no-sandbox', '--no-first-run', '--disable-quic', '--disable-background-networking', '--disable-component-update',
  '--disable-sync', '--use-angle=swiftshader'];

function sampleLake() {
  return process.env.LIMN_SAMPLE_LAKE ?? execFileSync(`${ROOT}/tools/sample.sh`, ['cached'], { encoding: 'utf8' }).trim();
}

// Where a walk begins: every kind of view that the columns allow.
async function beginning(url, table) {
  const { columns } = await (await fetch(`${url}/api/tables/${encodeURIComponent(table)}`)).json();
  const names = (...kinds) => columns.filter((column) => kinds.includes(column.kind)).map((column) => encodeURIComponent(column.name));
  const [numbers, groups, times] = [names('number'), names('category', 'text', 'boolean'), names('time')];
  const marks = [];
  if (numbers.length > 1) marks.push(`scatter:${numbers[0]}:${numbers[1]}`, `heat:${numbers[0]}:${numbers[1]}:20`);
  for (const name of numbers.slice(0, 2)) marks.push(`histogram:${name}:30`);
  if (groups.length > 0) marks.push(`bars:${groups[0]}:12`);
  if (times.length > 0) marks.push(`line:${times[0]}`);
  if (marks.length < 2) throw new Error(`${table} has too few columns to walk on`);
  const shown = [...numbers.slice(0, 2), ...groups.slice(0, 1), ...times.slice(0, 1)];
  const views = marks.map((mark, nth) => `view=${nth + 1}:${mark}`).join('&');
  return { query: `link=1&table=${encodeURIComponent(table)}&columns=${shown.join(',')}&${views}&renderer=raster`, columns: columns.map((column) => column.name) };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

// What grew by more than it may, in words. How large a memory is tells of the most that was
// ever in it; of the page's all that is in use is known.
function grown(before, now) {
  return Object.keys(before).filter((what) => what !== 'page memory').filter((what) => {
    const slack = what === 'page in use' ? SLACK_IN_USE : /heap|memory|in use/.test(what) ? SLACK_BYTES : 200;
    return now[what] > before[what] * GROWTH_MAX + slack;
  }).map((what) => `${what} grew from ${before[what]} to ${now[what]}`);
}

async function main() {
  const server = await new Server().start([sampleLake()]);
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: FLAGS });
  const problems = [];
  try {
    const { query, columns } = await beginning(server.url, flags.table);
    const walker = new Walker({ browser, url: server.url, query, columns, size: SIZE, random: chance(SEED) });
    await walker.open();
    await walker.spread();
    const warmUntil = Date.now() + (UNTIL - Date.now()) * WARM_SHARE;
    let before = null;
    let last = null;
    let round = 0;
    while (problems.length === 0 && (Date.now() < UNTIL || before === last) && round < ROUNDS_MAX) {
      round += 1;
      problems.push(...(await walker.round(STEPS_A_ROUND)));
      if (problems.length > 0) break;
      await walker.back();
      last = await walker.held();
      if (before === null && round >= WARM_ROUNDS && (Date.now() >= warmUntil || round === ROUNDS_MAX - 1)) before = last;
      const held = Object.entries(last).map(([what, value]) => `${what} ${value > 1e5 ? megabytes(value) : value}`).join(', ');
      console.log(`round ${round}, ${walker.said.length} steps${before ? '' : ', warming up'}: ${held}`);
    }
    if (before && last) problems.push(...grown(before, last));
    console.log(`${walker.said.length} steps in ${round} rounds, ${walker.nKinds()} kinds of them`);
    if (problems.length > 0) console.log(`the last steps:\n${walker.said.slice(-2 * STEPS_A_ROUND).join('\n')}`);
  } finally {
    await browser.close();
    await server.stop();
  }
  for (const problem of problems) console.log(`FAIL ${problem}`);
  console.log(`seed ${SEED}: ${problems.length ? 'failed' : 'nothing broke, nothing grew'}; again with --seed ${SEED}`);
  return problems.length === 0;
}

console.log(`seed ${SEED}`);
process.exit((await main()) ? 0 : 1);
