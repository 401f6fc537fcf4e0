// The cable between browser and server: a TCP relay that can be unplugged, delayed and
// narrowed. Unlike a browser's own emulation it holds for workers and service workers too.

import net from 'node:net';

export class Wire {
  #server;
  #sockets = new Set();
  #plugged = true;
  #latencyMillis = 0;
  #bytesPerSecond = Infinity;
  bytesDown = 0;

  constructor(upstreamPort) {
    this.upstreamPort = upstreamPort;
  }

  // Listens on a port of its own, so that every scenario has an origin of its own.
  async plugIn(port = 0) {
    this.#server = net.createServer((socket) => this.#relay(socket));
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
    this.port = this.#server.address().port;
    return this;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  // From now on nothing gets through, and what was under way is cut.
  async unplug() {
    this.#plugged = false;
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async replug() {
    this.#plugged = true;
    await this.plugIn(this.port);
  }

  throttle({ latencyMillis = 0, bytesPerSecond = Infinity } = {}) {
    this.#latencyMillis = latencyMillis;
    this.#bytesPerSecond = bytesPerSecond;
  }

  async close() {
    if (this.#plugged) await this.unplug();
  }

  #relay(down) {
    const up = net.connect(this.upstreamPort, '127.0.0.1');
    for (const socket of [down, up]) {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        down.destroy();
        up.destroy();
      });
      socket.on('error', () => socket.destroy());
    }
    down.pipe(up);
    up.on('data', (chunk) => this.#passDown(chunk, up, down));
    up.on('end', () => down.end());
  }

  #passDown(chunk, up, down) {
    this.bytesDown += chunk.length;
    const waitMillis = this.#latencyMillis + (chunk.length / this.#bytesPerSecond) * 1000;
    if (waitMillis <= 0) {
      if (!down.write(chunk)) {
        up.pause();
        down.once('drain', () => up.resume());
      }
      return;
    }
    up.pause();
    setTimeout(() => {
      if (!down.destroyed) down.write(chunk);
      up.resume();
    }, waitMillis);
  }
}
