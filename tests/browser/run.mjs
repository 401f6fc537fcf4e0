// Runs the browser's scenarios: every file *.scenario.mjs beside this one, in both renderers.
//
//     node tests/browser/run.mjs [WORDS OF A NAME] [--renderer webgpu|raster] [--list]
//
// Ends with how many passed and failed, and fails if any did. Pictures go to LIMN_SHOTS.
// With LIMN_RETRIES a scenario that fails is tried so many times again; one that passes then
// is named at the end as not steady, and counts as passed.

import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { RENDERERS, Scene, Stage, scenarios } from './harness.mjs';
import { ROOT } from './server.mjs';

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { renderer: { type: 'string' }, list: { type: 'boolean' } },
});
const folder = join(ROOT, 'tests/browser');
const shots = process.env.LIMN_SHOTS ?? join(process.env.LIMN_CACHE ?? join(homedir(), '.cache/limn'), 'shots');

async function wanted() {
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.scenario.mjs')).sort()) {
    await import(join(folder, file));
  }
  if (flags.renderer && !RENDERERS.includes(flags.renderer)) throw new Error(`--renderer is one of ${RENDERERS.join(', ')}`);
  return scenarios.filter(
    (entry) =>
      (!flags.renderer || entry.renderer === flags.renderer) && positionals.every((word) => entry.name.includes(word)),
  );
}

function sampleLake() {
  if (process.env.LIMN_SAMPLE_LAKE) return process.env.LIMN_SAMPLE_LAKE;
  return execFileSync(join(ROOT, 'tools/sample.sh'), ['cached'], { encoding: 'utf8' }).trim();
}

async function within(millis, promise) {
  let late;
  const limit = new Promise((_, reject) => {
    late = setTimeout(() => reject(new Error(`not done after ${millis / 1000} s`)), millis);
  });
  return Promise.race([promise, limit]).finally(() => clearTimeout(late));
}

async function runOne(stage, entry) {
  const scene = new Scene(stage, entry);
  const began = Date.now();
  const title = `${entry.name} (${entry.renderer})`;
  try {
    await scene.begin();
    await within(entry.timeoutMillis, entry.run(scene));
    scene.checkProblems();
    console.log(`ok   ${title} ${((Date.now() - began) / 1000).toFixed(1)} s`);
    return true;
  } catch (error) {
    console.log(`FAIL ${title} ${((Date.now() - began) / 1000).toFixed(1)} s`);
    console.log(String(error.stack ?? error).replace(/^/gm, '     '));
    for (const problem of scene.problems) console.log(`     ${problem}`);
    const name = `failed-${entry.name.replace(/\W+/g, '-')}`;
    await within(10_000, scene.shot(name)).then(
      () => console.log(`     picture: ${join(shots, entry.renderer, `${name}.png`)}`),
      () => {},
    );
    return false;
  } finally {
    await within(20_000, scene.end()).catch((error) => console.log(`     could not clean up: ${error}`));
  }
}

const chosen = await wanted();
if (flags.list) {
  for (const entry of chosen) console.log(`${entry.name} (${entry.renderer})`);
  process.exit(0);
}
const retries = Number(process.env.LIMN_RETRIES ?? 0);
const stage = await new Stage().start({ lake: sampleLake(), shots });
let nPassed = 0;
const [failed, unsteady] = [[], []];
try {
  for (const entry of chosen) {
    const title = `${entry.name} (${entry.renderer})`;
    let nTries = 1;
    let passed = await runOne(stage, entry);
    for (; !passed && nTries <= retries; nTries += 1) passed = await runOne(stage, entry);
    if (!passed) failed.push(title);
    else nPassed += 1;
    if (passed && nTries > 1) unsteady.push(title);
  }
} finally {
  await stage.stop();
}
for (const name of unsteady) console.log(`not steady, passed when tried again: ${name}`);
for (const name of failed) console.log(`failed: ${name}`);
console.log(`${nPassed} passed, ${failed.length} failed`);
process.exit(failed.length || !nPassed ? 1 : 0);
