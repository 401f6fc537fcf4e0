// A plain static host, as a bucket or a pages service is: files by their names, 404 for
// all else, and nothing that Limn's own server would do.

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

  // `config` is what stands in config.json, the one file that who hosts them edits.
  async start(config = {}) {
    this.server = http.createServer((request, answer) => {
      const path = decodeURIComponent(new URL(request.url, 'http://host').pathname);
      const name = normalize(path === '/' ? 'index.html' : path.slice(1));
      try {
        const body = name === 'config.json' ? JSON.stringify(config) : readFileSync(join(this.folder, name));
        answer.writeHead(200, { 'content-type': TYPES[extname(name)] ?? 'application/octet-stream' }).end(body);
      } catch {
        answer.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not found</h1>');
      }
    });
    await new Promise((listening) => this.server.listen(0, '127.0.0.1', listening));
    this.url = `http://127.0.0.1:${this.server.address().port}`;
    return this;
  }

  async stop() {
    this.server.closeAllConnections();
    await new Promise((closed) => this.server.close(closed));
  }
}
