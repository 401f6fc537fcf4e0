// Trunk's post_build hook: turns its staging folder into the bundle that is served.
// Everything but index.html, sw.js, config.json, the manifest and the icons gets its
// hash into its name (`name-<16 hex>.ext`), so that it may be cached for ever; each file
// names the next by that name, so that builds never mix. Also: wasm-opt, the list of
// files for the service worker, .br and .gz twins, and the size budget of the first load.
//
// LIMN_BUNDLE=quick leaves out what only makes files smaller.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import zlib from "node:zlib";
import { buildSync, transformSync } from "esbuild";

const ROOT = path.resolve(import.meta.dirname, "..");
const STAGING = process.env.TRUNK_STAGING_DIR ?? fail("TRUNK_STAGING_DIR is not set: run this by `trunk build`");
const QUICK = process.env.LIMN_BUNDLE === "quick";
// What is not on the first screen belongs into a part.
const FIRST_LOAD_GZIP_MAX = 1_500_000;
const COMPRESSIBLE = /\.(html|js|css|wasm|json|webmanifest|svg)$/;
// Asked for by the browser on its own, or edited by who hosts the files: never renamed.
const PLAIN_NAMES = new Set(["index.html", "sw.js", "config.json", "manifest.webmanifest"]);
// Loaded before anything is on screen. The rest of the list is fetched in the background.
const FIRST_LOAD = /^(index\.html|boot-|style-|page-|page_bg-|worker)/;
// What rustc writes for wasm32 with simd128, and every browser with WebGPU reads. Never
// all features: wasm-opt then writes encodings that no browser knows yet.
const WASM_FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "call-indirect-overlong",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
  "simd",
].map((feature) => `--enable-${feature}`);
// Run in workers, each by its own copy of start.js. The reader of dropped files and the mapper
// of vectors are fetched with the first of them, so they are no part of the first load.
const WORKERS = ["worker", "reader", "mapper"];

// The programs that are cut into parts, and the cargo profiles that Trunk builds them by.
const RELEASE_PROFILES = { page: "wasm-page", worker: QUICK ? "wasm-dev" : "wasm" };

function fail(message) {
  console.error(`bundle: ${message}`);
  process.exit(1);
}

const at = (name) => path.join(STAGING, name);
const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 16);

// Gives the file its hashed name and says which: worker.js becomes worker-<hash>.js.
function rename(name, contents = readFileSync(at(name))) {
  const { name: stem, ext } = path.parse(name);
  const hashed = `${stem}-${hashOf(contents)}${ext}`;
  rmSync(at(name));
  writeFileSync(at(hashed), contents);
  return hashed;
}

// Scripts and styles without comments and long names; what a browser shows of errors stays.
function minified(loader, text) {
  return QUICK ? text : transformSync(text, { loader, minify: true, charset: "utf8", legalComments: "none" }).code;
}

// Replaces a text that must be there: a bundle that silently lacks a part is worse than none.
function replaced(text, from, to, where) {
  if (!text.includes(from)) fail(`${where} no longer holds ${JSON.stringify(from)}`);
  return text.replaceAll(from, to);
}

function optimise(name) {
  const tool = path.join(ROOT, "node_modules/.bin/wasm-opt");
  if (QUICK || !existsSync(tool)) return;
  const out = mkdtempSync(path.join(tmpdir(), "limn-wasm-"));
  const smaller = path.join(out, name);
  // -Oz would take hardly a per cent more off the worker, out of the loops that it is made of.
  // The reader is no part of the first load, and more than this would take minutes.
  const level = { page: "-Oz", part: "-Oz", reader: "-O1" }[name.split(/[_-]/)[0]] ?? "-Os";
  // From the bottom up: otherwise the features that the file itself names come on top.
  const flags = [level, "--mvp-features", ...WASM_FEATURES, "--strip-producers", "--strip-target-features"];
  // A function with one caller is otherwise made a part of it, whatever its size. A loop is then
  // short of registers, a browser is longer about making it fast, and gzip finds less to save.
  flags.push("--one-caller-inline-max-function-size=60");
  const run = spawnSync(tool, [...flags, at(name), "-o", smaller], { encoding: "utf8" });
  if (run.status !== 0) console.error(`bundle: wasm-opt left ${name} as it was: ${run.stderr.trim()}`);
  else if (statSync(smaller).size < statSync(at(name)).size) cpSync(smaller, at(name));
  rmSync(out, { recursive: true });
}

function run(command, args) {
  const done = spawnSync(command, args, { encoding: "utf8", maxBuffer: 1 << 28 });
  if (done.status !== 0) fail(`${command} ${args.join(" ")}: ${done.error ?? done.stderr}`);
  return done.stdout;
}

// Cuts a program where its functions are marked `wasm_split`. That is done to what the linker
// made, so wasm-bindgen runs once more, on what is left. The parts come to stand beside it, and
// what fetches them goes into the program's own script.
function split(name) {
  const target = JSON.parse(run("cargo", ["metadata", "--locked", "--offline", "--no-deps", "--format-version=1"])).target_directory;
  const profile = process.env.TRUNK_PROFILE === "release" ? RELEASE_PROFILES[name] : "debug";
  const out = mkdtempSync(path.join(tmpdir(), "limn-split-"));
  run("wasm-split-cli", [path.join(target, "wasm32-unknown-unknown", profile, `${name}.wasm`), out, "--out-name", name]);
  const binding = ["--target=web", "--no-typescript", "--keep-lld-exports", `--out-name=${name}`, `--out-dir=${STAGING}`];
  run("wasm-bindgen", [...binding, path.join(out, `${name}.wasm`)]);

  const links = path.join(STAGING, "__wasm_split.js");
  let script = readFileSync(path.join(out, "__wasm_split.js"), "utf8");
  for (const file of readdirSync(out).filter((file) => /^(split|chunk)_.*\.wasm$/.test(file)).sort()) {
    const part = `part-${file.replace(/^split_|\.wasm$/g, "")}.wasm`;
    cpSync(path.join(out, file), at(part));
    optimise(part);
    script = replaced(script, file, rename(part), "__wasm_split.js");
  }
  writeFileSync(links, script);
  const bundled = buildSync({ entryPoints: [at(`${name}.js`)], bundle: true, format: "esm", write: false, external: ["./snippets/*"], logLevel: "error" });
  rmSync(links);
  rmSync(out, { recursive: true });
  writeFileSync(at(`${name}.js`), bundled.outputFiles[0].contents);
}

// One program of ours: its wasm first, then the script that names it.
function program(name) {
  if (name in RELEASE_PROFILES) split(name);
  optimise(`${name}_bg.wasm`);
  // Node's engine is Chromium's, and rather older than newer.
  if (!WebAssembly.validate(readFileSync(at(`${name}_bg.wasm`)))) fail(`${name}_bg.wasm is no module that browsers take`);
  const wasm = rename(`${name}_bg.wasm`);
  const script = readFileSync(at(`${name}.js`), "utf8");
  return { wasm, js: rename(`${name}.js`, minified("js", replaced(script, `${name}_bg.wasm`, wasm, `${name}.js`))) };
}

// The parts of public/style/ in the order of the cascade, as one file.
function joinStyles() {
  const parts = readdirSync(at("style")).sort();
  const joined = parts.map((part) => readFileSync(at(path.join("style", part)), "utf8")).join("\n");
  writeFileSync(at("style.css"), minified("css", joined));
  rmSync(at("style"), { recursive: true });
}

function everyFile(folder = "") {
  return readdirSync(at(folder), { withFileTypes: true })
    .flatMap((entry) => (entry.isDirectory() ? everyFile(path.join(folder, entry.name)) : [path.join(folder, entry.name)]))
    .sort();
}

function writePage(names, build) {
  const workers = [...names.workers].map(([name, start]) => ` data-${name}="${start}"`).join("");
  const boot =
    `<script src="${names.boot}" data-build="${build}" data-page="${names.page.js}"${workers}></script>\n    ` +
    `<link rel="modulepreload" href="${names.page.js}">\n    ` +
    `<link rel="preload" href="${names.page.wasm}" as="fetch" type="application/wasm" crossorigin>`;
  let html = readFileSync(at("index.html"), "utf8");
  html = replaced(html, 'href="style.css"', `href="${names.style}"`, "index.html");
  html = replaced(html, "<!-- boot -->", boot, "index.html");
  writeFileSync(at("index.html"), html.replaceAll("<!-- preload -->", "").replace(/\n\s*\n/g, "\n"));
}

function writeServiceWorker(files, build) {
  // config.json belongs to the host; the service worker and its twins are not its own business.
  const kept = files.filter((name) => name !== "sw.js").map((name) => (name === "index.html" ? "./" : `./${name}`));
  let script = readFileSync(at("sw.js"), "utf8");
  script = replaced(script, "__BUILD__", build, "sw.js");
  script = replaced(script, '["__FILES__"]', JSON.stringify(kept, null, 2), "sw.js");
  writeFileSync(at("sw.js"), minified("js", script));
}

// The system's gzip packs wasm two per cent tighter than the zlib that Node carries, which
// is made for speed.
function gzipped(bytes) {
  const run = QUICK ? {} : spawnSync("gzip", ["-9nc"], { input: bytes, maxBuffer: 1 << 30 });
  return run.status === 0 ? run.stdout : zlib.gzipSync(bytes, { level: QUICK ? 6 : 9 });
}

async function compress(files) {
  const brotli = promisify(zlib.brotliCompress);
  const sizes = new Map();
  await Promise.all(
    files.map(async (name) => {
      const bytes = readFileSync(at(name));
      const size = { raw: bytes.length, gzip: bytes.length, brotli: bytes.length };
      if (COMPRESSIBLE.test(name)) {
        const zipped = gzipped(bytes);
        size.gzip = zipped.length;
        if (!QUICK && bytes.length > 1024) {
          const pressed = await brotli(bytes, {
            params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11, [zlib.constants.BROTLI_PARAM_SIZE_HINT]: bytes.length },
          });
          size.brotli = pressed.length;
          // config.json is edited by hand, and a twin of it would win over the edit.
          if (name !== "config.json") {
            writeFileSync(at(`${name}.gz`), zipped);
            writeFileSync(at(`${name}.br`), pressed);
          }
        }
      }
      sizes.set(name, size);
    }),
  );
  return sizes;
}

function report(sizes) {
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} kB`.padStart(11);
  const sum = { raw: 0, gzip: 0, brotli: 0 };
  console.log(`${"first load".padEnd(36)}${"raw".padStart(11)}${"gzip".padStart(11)}${"brotli".padStart(11)}`);
  for (const [name, size] of [...sizes].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!FIRST_LOAD.test(name)) continue;
    for (const key of Object.keys(sum)) sum[key] += size[key];
    console.log(name.padEnd(36) + kilobytes(size.raw) + kilobytes(size.gzip) + kilobytes(size.brotli));
  }
  console.log("total".padEnd(36) + kilobytes(sum.raw) + kilobytes(sum.gzip) + kilobytes(sum.brotli));
  if (!QUICK && sum.gzip > FIRST_LOAD_GZIP_MAX) {
    fail(`the first load is ${sum.gzip} bytes of gzip, over the budget of ${FIRST_LOAD_GZIP_MAX}`);
  }
}

cpSync(path.join(ROOT, "public"), STAGING, { recursive: true });
joinStyles();
for (const name of everyFile()) if (name.endsWith(".d.ts")) rmSync(at(name));

// Regular expressions: called by the data worker, which fetches them with the first.
const matcher = program("matcher");

// The start script of a worker's program, naming the program's script by its hash.
function starter(name) {
  const { js } = program(name);
  let plain = replaced(readFileSync(at("start.js"), "utf8"), "./__PROGRAM__.js", `./${js}`, "start.js");
  plain = replaced(plain, "./__MATCHER__.js", `./${matcher.js}`, "start.js");
  writeFileSync(at(`${name}-start.js`), minified("js", replaced(plain, "__PROGRAM__", `the ${name}`, "start.js")));
  return rename(`${name}-start.js`);
}

const names = { page: program("page"), style: rename("style.css"), boot: rename("boot.js", minified("js", readFileSync(at("boot.js"), "utf8"))) };
const built = WORKERS.filter((name) => existsSync(at(`${name}_bg.wasm`)));
names.workers = new Map(built.map((name) => [name, starter(name)]));
if (!names.workers.has("worker")) fail("Trunk left no worker: app/index.html must name it");
rmSync(at("start.js"));

// The build is what all its files are, the service worker's and the page's own text included.
const digest = createHash("sha256");
for (const name of everyFile()) digest.update(name).update("\0").update(readFileSync(at(name))).update("\0");
const build = digest.digest("hex").slice(0, 16);

writePage(names, build);
const files = everyFile();
for (const name of files) {
  if (!PLAIN_NAMES.has(name) && !/-[0-9a-f]{16}\./.test(name) && !/\.(svg|png)$|^snippets\//.test(name)) {
    fail(`${name} has neither a hash in its name nor a reason to have none`);
  }
}
writeServiceWorker(files, build);
report(await compress(files));
