// What a page and its workers hold, by the browser's own protocol: each heap after garbage
// is collected, the nodes and listeners of documents, and the memories of programs: how large
// they are, which never shrinks, and how much of that is in use.

// In page or worker before its own scripts: keeps the memory that its program has.
const NOTE_MEMORY = `for (const name of ['instantiate', 'instantiateStreaming']) {
  const plain = WebAssembly[name];
  WebAssembly[name] = (...given) => plain.apply(WebAssembly, given).then((made) => {
    const { memory, held_bytes } = (made.instance ?? made).exports;
    globalThis.limnMemory ??= memory;
    globalThis.limnHeldBytes ??= held_bytes;
    return made;
  });
}
`;

// For all pages of a context, before they are opened.
export async function noteMemories(context) {
  await context.addInitScript(NOTE_MEMORY);
  await context.route(/worker-start-.*\.js$/, async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, body: NOTE_MEMORY + (await answer.text()) });
  });
}

export class Scales {
  #asked = 0;
  #waiting = new Map();
  #workers = new Map();

  async put(page) {
    this.page = page;
    this.session = await page.context().newCDPSession(page);
    this.session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') this.#workers.set(sessionId, targetInfo.url);
    });
    this.session.on('Target.detachedFromTarget', ({ sessionId }) => this.#workers.delete(sessionId));
    this.session.on('Target.receivedMessageFromTarget', ({ message }) => {
      const { id, result, error } = JSON.parse(message);
      this.#waiting.get(id)?.(result ?? { error });
      this.#waiting.delete(id);
    });
    await this.session.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
    return this;
  }

  // By name: bytes, or how many.
  async weigh() {
    const sides = [['page', (method) => this.session.send(method)]];
    for (const [sessionId, url] of this.#workers) {
      const name = url.match(/(\w+)-start-/)?.[1] ?? 'worker';
      sides.push([name, (method) => this.#ask(sessionId, method)]);
    }
    const collect = async () => {
      for (const [, send] of sides) await send('HeapProfiler.collectGarbage');
    };
    await collect();
    // What frames and timers still held is garbage by the second time.
    await this.page.waitForTimeout(1500);
    await collect();
    const held = {};
    for (const [name, send] of sides) {
      const { usedSize, embedderHeapUsedSize = 0 } = await send('Runtime.getHeapUsage');
      held[`${name} heap`] = usedSize + embedderHeapUsedSize;
    }
    for (const side of [this.page, ...this.page.workers()]) {
      const name = side === this.page ? 'page' : (side.url().match(/(\w+)-start-/)?.[1] ?? 'worker');
      const [memory, inUse] = await side.evaluate(() => [globalThis.limnMemory?.buffer.byteLength ?? 0, (globalThis.limnHeldBytes?.() ?? 0) >>> 0]);
      Object.assign(held, { [`${name} memory`]: memory, [`${name} in use`]: inUse });
    }
    const { nodes, jsEventListeners } = await this.session.send('Memory.getDOMCounters');
    return { ...held, nodes, listeners: jsEventListeners };
  }

  #ask(sessionId, method) {
    this.#asked += 1;
    const id = this.#asked;
    const answer = new Promise((done) => this.#waiting.set(id, done));
    return this.session.send('Target.sendMessageToTarget', { sessionId, message: JSON.stringify({ id, method, params: {} }) }).then(() => answer);
  }
}
