// Starts the program of a worker: the bundler makes a copy for each and fills in its name.
// Messages that arrive while it is still compiling are kept and given to it in order; a
// start that fails is reported like a panic.

import init from "./__PROGRAM__.js";

// Regular expressions are a program of their own, fetched with the first of them.
self.limnMatcher = async () => {
  const program = await import("./__MATCHER__.js");
  await program.default();
  return (pattern, isCaseSensitive) => new program.Pattern(pattern, isCaseSensitive);
};

const early = [];
const keep = (event) => early.push(event);
self.addEventListener("message", keep);

try {
  await init();
  self.removeEventListener("message", keep);
  for (const event of early) {
    self.dispatchEvent(new MessageEvent("message", { data: event.data, ports: [...event.ports] }));
  }
} catch (error) {
  self.postMessage(JSON.stringify({ panicked: { text: `__PROGRAM__ did not start: ${error?.message ?? error}` } }));
}
