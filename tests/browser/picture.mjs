// Looks at pictures: decodes PNG files in a blank page of the browser itself, measures how
// much is drawn on one, and compares two of them with a tolerance.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from './server.mjs';

const GOLDENS = join(ROOT, 'tests/browser/goldens');

export class Gallery {
  constructor(page, folder) {
    this.page = page;
    this.folder = folder;
  }

  save(name, png) {
    const path = join(this.folder, `${name}.png`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, png);
    return path;
  }

  // How many colours a picture has, and what share of it is not its commonest colour.
  async ink(png) {
    return this.page.evaluate(async (source) => {
      const { data, width, height } = await window.pixelsOf(source);
      const counts = new Map();
      const words = new Uint32Array(data.buffer);
      for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
      const commonest = Math.max(...counts.values());
      return { width, height, colours: counts.size, share: 1 - commonest / words.length };
    }, png.toString('base64'));
  }

  // The share of pixels whose colour differs by more than `channel` of 255 in some channel.
  async difference(left, right, channel = 24) {
    return this.page.evaluate(
      async ([a, b, limit]) => {
        const [one, other] = [await window.pixelsOf(a), await window.pixelsOf(b)];
        if (one.width !== other.width || one.height !== other.height) return 1;
        let different = 0;
        for (let at = 0; at < one.data.length; at += 4) {
          const far = [0, 1, 2].some((offset) => Math.abs(one.data[at + offset] - other.data[at + offset]) > limit);
          if (far) different += 1;
        }
        return different / (one.width * one.height);
      },
      [left.toString('base64'), right.toString('base64'), channel],
    );
  }

  // Compares with a picture that was looked at and kept; LIMN_GOLDENS=write keeps this one.
  async matchesGolden(name, png, shareMax) {
    const path = join(GOLDENS, `${name}.png`);
    if (process.env.LIMN_GOLDENS === 'write') {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, png);
      return;
    }
    if (!existsSync(path)) throw new Error(`no golden ${name}: look at the picture, then LIMN_GOLDENS=write keeps it`);
    const share = await this.difference(readFileSync(path), png);
    if (share > shareMax) {
      const kept = this.save(`${name}-differs`, png);
      throw new Error(`${(share * 100).toFixed(2)} % of ${name} differs from its golden: ${kept}`);
    }
  }
}

// Runs in the blank page.
export const DECODER = `
  window.pixelsOf = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d');
    context.drawImage(bitmap, 0, 0);
    return context.getImageData(0, 0, bitmap.width, bitmap.height);
  };
`;
