// What the real page holds of a table: the memories of its programs, beside the bytes of the
// same columns as Arrow.
import { statSync } from 'node:fs';
import { Scales, noteMemories } from '../tests/browser/scales.mjs';
import { allViews } from '../tests/browser/told.mjs';

const SIZE = { viewport: { width: 1400, height: 900 } };
const ALL_VIEWS_MILLIS = 120_000;
// Profiles of the columns are counted while nobody asks anything.
const IDLE_MILLIS = 6_000;

export async function weighed(browser, address, table, arrows) {
  const context = await browser.newContext(SIZE);
  try {
    await noteMemories(context);
    const page = await context.newPage();
    await page.goto(`${address}/?table=${table}`);
    await allViews(page, ALL_VIEWS_MILLIS);
    await page.waitForTimeout(IDLE_MILLIS);
    const scales = await new Scales().put(page);
    const held = await scales.weigh();
    return {
      arrow: statSync(arrows).size,
      inUse: held['worker in use'] + held['page in use'],
      memory: held['worker memory'] + held['page memory'],
      scripts: held['worker heap'] + held['page heap'],
    };
  } finally {
    await context.close();
  }
}
