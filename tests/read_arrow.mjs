// Reads an Arrow IPC stream or file from stdin with the `apache-arrow` package and
// prints its rows as JSON, every value as text, so that no big integer is rounded.

import { tableFromIPC } from 'apache-arrow';

const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const table = tableFromIPC(Buffer.concat(chunks));

const columns = table.schema.fields.map((field) => field.name);
const vectors = columns.map((name) => table.getChild(name));
const values = [];
for (let row = 0; row < table.numRows; row += 1) values.push(vectors.map((vector) => String(vector.get(row))));
process.stdout.write(JSON.stringify({ rows: table.numRows, columns, values }));
