// What the page says, and the companion past it: for scenarios, walks and benches alike.

// Of the companion at that address.
export async function ask(address, query) {
  const answer = await fetch(`${address}/api/query?format=json`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(query),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`the companion answers ${answer.status}: ${text}`);
  return JSON.parse(text);
}

export async function countOf(address, table, filters = [], version = undefined) {
  const [row] = await ask(address, { table, version, filters, aggregates: [{ op: 'count', as: 'n' }] });
  return row.n;
}

// How many rows pass, of how many.
export async function counts(page, timeout = undefined) {
  const title = await page.locator('.counts').getAttribute('title', { timeout });
  const [selected, total] = title.match(/\d[\d,]*/g).map((digits) => Number(digits.replaceAll(',', '')));
  return { selected, total };
}

// Every view has its answer about all rows.
export function allViews(page, timeout) {
  return page.waitForFunction(() => performance.getEntriesByName('limn:all-views').length > 0, null, { timeout });
}

// In a page before its own scripts: gives `limnHear` the texts that its workers post.
export function overhear() {
  const Plain = window.Worker;
  window.Worker = class extends Plain {
    constructor(...given) {
      super(...given);
      this.addEventListener('message', ({ data }) => {
        if (typeof data === 'string') window.limnHear(data);
      });
    }
  };
}
