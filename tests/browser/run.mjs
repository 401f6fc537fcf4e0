// Runs the browser's scenarios: every file *.scenario.mjs beside this one, in both renderers.
//
//     node tests/browser/run.mjs [WORDS OF A NAME] [--renderer webgpu|raster] [--list]
//
// Ends with how many passed and failed, and fails if any did. Pictures go to LIMN_SHOTS.

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
const stage = await new Stage().start({ lake: sampleLake(), shots });
let nPassed = 0;
const failed = [];
try {
  for (const entry of chosen) {
    if (await runOne(stage, entry)) nPassed += 1;
    else failed.push(`${entry.name} (${entry.renderer})`);
  }
} finally {
  await stage.stop();
}
for (const name of failed) console.log(`failed: ${name}`);
console.log(`${nPassed} passed, ${failed.length} failed`);
process.exit(failed.length || !nPassed ? 1 : 0);
