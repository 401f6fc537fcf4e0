// Columns of the Arrow stream as typed arrays, for peers that compute in JavaScript.
import { tableFromIPC } from 'apache-arrow';

export async function columnsOf(url, names) {
  const table = tableFromIPC(new Uint8Array(await (await fetch(url)).arrayBuffer()));
  return Object.fromEntries(names.map((name) => [name, table.getChild(name).toArray()]));
}
