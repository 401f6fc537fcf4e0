// A plain static host, as a bucket or a pages service is: files by their names, 404 for
// all else, and nothing that Limn's own server would do.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { extname, join, normalize } from 'node:path';
import { ROOT } from './server.mjs';

export const DIST = join(ROOT, 'dist');
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.css': 'text/css',
  '.wasm': 'application/wasm',
  '.json': 'application/json',
  '.webmanifest': 'application/manifest+json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
};

export class StaticHost {
  // Where the files lie; another folder from one request to the next is a deployment.
  folder = DIST;
  // Whether pages of other origins may read the files, parts are given, and how many bytes of
  // each answer come before the line breaks.
  isOpen = true;
  givesParts = true;
  breaksAfter = Infinity;
  // What was asked for, and what parts of it.
  requests = [];

  // `config` is what stands in config.json, the one file that who hosts them edits.
  async start(config = {}, port = 0) {
    this.server = http.createServer((request, answer) => {
      const path = decodeURIComponent(new URL(request.url, 'http://host').pathname);
      const name = normalize(path.endsWith('/') ? `${path.slice(1)}index.html` : path.slice(1));
      try {
        const body = Buffer.from(name === 'config.json' ? JSON.stringify(config) : readFileSync(join(this.folder, name)));
        this.answer(request, answer, name, body);
      } catch {
        answer.writeHead(404, { 'content-type': 'text/html', ...(this.isOpen && { 'access-control-allow-origin': '*' }) }).end('<h1>Not found</h1>');
      }
    });
    await new Promise((listening) => this.server.listen(port, '127.0.0.1', listening));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  answer(request, answer, name, body) {
    const { range } = request.headers;
    this.requests.push({ name, range });
    const headers = { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' };
    if (this.isOpen) {
      headers['access-control-allow-origin'] = '*';
      headers['access-control-expose-headers'] = 'ETag, Content-Range, Content-Length';
    }
    headers.etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 16)}"`;
    const wanted = this.givesParts ? /^bytes=(\d+)-(\d+)$/.exec(range ?? '') : null;
    let status = 200;
    let part = body;
    if (wanted) {
      const start = Number(wanted[1]);
      const end = Math.min(Number(wanted[2]), body.length - 1);
      status = 206;
      part = body.subarray(start, end + 1);
      headers['content-range'] = `bytes ${start}-${end}/${body.length}`;
    }
    headers['content-length'] = part.length;
    answer.writeHead(status, headers);
    if (part.length > this.breaksAfter) {
      answer.write(part.subarray(0, this.breaksAfter), () => answer.destroy());
    } else {
      answer.end(part);
    }
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
