// The first script of the page, run before anything is painted: sets the theme, starts
// the worker while the page's own program is still loading, and says so when it cannot.

(() => {
  const script = document.currentScript;
  const beside = (name) => new URL(name, script.src).href;

  try {
    const theme = localStorage.getItem("limn.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage is refused in some private modes: the system's theme holds.
  }

  // What the worker says before the page listens is kept for it in `early`.
  const startWorker = () => {
    const worker = new Worker(beside(script.dataset.worker), { type: "module" });
    const early = [];
    worker.onmessage = (event) => early.push(event);
    worker.onerror = (event) => early.push(event);
    return { worker, early };
  };
  globalThis.limn = {
    build: script.dataset.build,
    reader: script.dataset.reader ? beside(script.dataset.reader) : null,
    mapper: script.dataset.mapper ? beside(script.dataset.mapper) : null,
    first: startWorker(),
    startWorker,
  };

  const refuse = (error) => {
    const text = document.getElementById("boot-text");
    if (text) {
      text.textContent = `Limn could not start: ${error?.message ?? error}. Reload the page; a browser of the last three years is needed.`;
    }
  };
  import(beside(script.dataset.page)).then((page) => page.default()).catch(refuse);
})();
