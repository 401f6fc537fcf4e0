// W10: Perspective's engine from a cold start to its first table, since the address was opened.
import { start } from './perspective_start.js';

window.boot = async () => {
  const client = await start();
  const table = await client.table([{ a: 1 }]);
  if ((await table.size()) !== 1) throw new Error('Perspective lost a row');
  return performance.now();
};
