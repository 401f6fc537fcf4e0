// The service worker: keeps the app's own files, so that the page opens with no network, and
// the pictures that were seen lately. It never touches data: slices are kept by the worker,
// and the rest of the API is not ours to cache.
//
// One cache per build. Files whose name carries a hash come from the cache; the page
// itself and config.json from the network first, since they decide what else is loaded.
// The bundler fills in the two constants.

const BUILD = "__BUILD__";
const FILES = ["__FILES__"];

const PREFIX = "limn-shell-";
const CACHE = PREFIX + BUILD;
const SCOPE = new URL(self.registration.scope);
const NETWORK_MILLIS_MAX = 4000;
// Of the same name in every build; emptied with what the worker keeps.
const PICTURES = "limn-pictures";
const PICTURES_MAX = 1000;

self.addEventListener("install", (event) => {
  // `no-cache` asks the server again, so that a browser's stale copy never enters.
  const fresh = FILES.map((name) => new Request(new URL(name, SCOPE), { cache: "no-cache" }));
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(fresh)));
});

self.addEventListener("activate", (event) => {
  const clean = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
    }
    await self.clients.claim();
  };
  event.waitUntil(clean());
});

// A page that was taken over asks by which build: its own files may be gone.
self.addEventListener("message", (event) => {
  if (event.data?.build === "?") event.source?.postMessage({ build: BUILD });
});

// A page of this very build, or one whose user asked to reload, lets it take over.
self.addEventListener("message", (event) => {
  if (event.data?.activate === BUILD || event.data?.activate === "now") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== SCOPE.origin) return;
  if (!url.pathname.startsWith(SCOPE.pathname)) return;
  const name = url.pathname.slice(SCOPE.pathname.length);
  if (request.mode === "navigate") {
    if (name === "" || name === "index.html") event.respondWith(networkFirst(request, SCOPE));
  } else if (name === "config.json") {
    event.respondWith(networkFirst(request, url));
  } else if (name === "api/image") {
    event.respondWith(pictureOf(event));
  } else if (FILES.includes(`./${name}`)) {
    event.respondWith(cacheFirst(request, url));
  }
});

// Never by opening the cache: an older build, late with a request, would make its own anew
// after a newer one has cleaned up, and nobody would clean up after it.
const keptOf = (url) => caches.match(url, { cacheName: CACHE, ignoreSearch: true });

async function cacheFirst(request, url) {
  return (await keptOf(url)) ?? fetch(request);
}

// The kept copy answers where the network fails, or takes too long to be of use.
async function networkFirst(request, url) {
  const kept = await keptOf(url);
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(resolve, NETWORK_MILLIS_MAX, null));
  try {
    const answer = await Promise.race([fetch(request), late]);
    // A server that fails is no reason to lose the page; one that says "gone" is believed.
    return answer && answer.status < 500 ? answer : kept;
  } catch {
    return kept;
  }
}

// A picture that was seen before is shown where the network fails.
async function pictureOf(event) {
  const { request } = event;
  try {
    const answer = await fetch(request);
    // That one cannot be kept, for want of room, is no reason not to show it.
    if (answer.ok) event.waitUntil(keepPicture(request, answer.clone()).catch(() => {}));
    return answer;
  } catch (error) {
    const kept = await caches.match(request, { cacheName: PICTURES });
    if (kept) return kept;
    throw error;
  }
}

async function keepPicture(request, answer) {
  const cache = await caches.open(PICTURES);
  await cache.put(request, answer);
  // In the order in which they came.
  const kept = await cache.keys();
  for (const oldest of kept.slice(0, Math.max(0, kept.length - PICTURES_MAX))) {
    await cache.delete(oldest);
  }
}
