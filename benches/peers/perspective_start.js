// Perspective's engine in its worker, loaded as its package ships it.

export async function start() {
  const at = (path) => new URL(`node_modules/@perspective-dev/${path}`, location.href).href;
  const { default: perspective } = await import(at('client/dist/esm/perspective.js'));
  perspective.init_server(fetch(at('server/dist/wasm/perspective-server.wasm')));
  perspective.init_client(fetch(at('client/dist/wasm/perspective-js.wasm')));
  return perspective.worker();
}
