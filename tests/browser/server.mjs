// Starts `limn serve` over given lakes and ends it again.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const START_MILLIS = 60_000;

function binary() {
  const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache/limn/target');
  const found = [process.env.LIMN_BINARY, join(ROOT, 'bin/limn'), join(target, 'debug/limn')].find(
    (path) => path && existsSync(path),
  );
  if (!found) throw new Error('no limn binary: run make build first, or set LIMN_BINARY');
  return found;
}

export class Server {
  lines = [];

  async start(lakes, flags = [], environment = {}) {
    const lakeFlags = lakes.flatMap((lake) => ['--lake', lake]);
    this.process = spawn(binary(), ['serve', '--listen', '127.0.0.1:0', ...lakeFlags, ...flags], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...environment },
    });
    this.port = await this.#port();
    this.url = `http://127.0.0.1:${this.port}`;
    return this;
  }

  #port() {
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`limn printed no address:\n${this.lines.join('\n')}`)), START_MILLIS);
      const listen = (text) => {
        this.lines.push(...String(text).split('\n').filter(Boolean));
        const found = String(text).match(/http:\/\/127\.0\.0\.1:(\d+)/);
        if (found) {
          clearTimeout(late);
          resolve(Number(found[1]));
        }
      };
      this.process.stdout.on('data', listen);
      this.process.stderr.on('data', listen);
      this.process.on('exit', (code) => {
        clearTimeout(late);
        reject(new Error(`limn ended with ${code}:\n${this.lines.slice(-20).join('\n')}`));
      });
    });
  }

  async stop() {
    if (this.process.exitCode !== null) return;
    const ended = new Promise((resolve) => this.process.once('exit', resolve));
    this.process.kill('SIGTERM');
    const late = setTimeout(() => this.process.kill('SIGKILL'), 5000);
    await ended;
    clearTimeout(late);
  }
}
