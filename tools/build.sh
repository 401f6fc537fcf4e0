#!/usr/bin/env bash
# make build: the app by Trunk into dist/, then bin/limn with the app inside.
# `build.sh app` and `build.sh server` do one half.

. "$(dirname "$0")/ground.sh"

# Everything the bundle is made from; unchanged inputs keep the bundle.
app_stamp() {
  { find app embedding engine mapper matcher reader shaders public worker -type f -not -path '*/target/*' -not -path 'engine/tests/*' -print0 |
      LC_ALL=C sort -z | xargs -0 sha256sum
    sha256sum Cargo.toml Cargo.lock Trunk.toml package-lock.json tools/bundle.mjs
    rustc --version; } | digest -
}

need_crates() {
  cargo fetch --locked --offline >/dev/null 2>&1 && return 0
  step "fetching the Rust crates" cargo fetch --locked
}

build_app() {
  need_wasm_target
  need_node_modules
  need_trunk
  need_wasm_bindgen
  need_wasm_split
  need_crates
  local stamp
  stamp=$(app_stamp)
  if [ -f dist/index.html ] && [ "$(cat bin/.app-stamp 2>/dev/null)" = "$stamp" ]; then
    say "the app in dist/ is up to date"
    return 0
  fi
  rm -f bin/.app-stamp
  step "bundling the app into dist/ (minutes, where it has to be compiled)" \
    trunk build --release --offline --locked --skip-version-check --cargo-profile wasm
  mkdir -p bin
  # The bundle's files keep the times they were written at in the staging folder, which
  # cargo may take for older than the last build: what embeds them is made newer.
  touch server/build.rs server/src/bundle.rs
  echo "$stamp" >bin/.app-stamp
}

build_server() {
  need_crates
  step "building bin/limn (a first build compiles some five hundred crates)" \
    cargo build --locked --workspace --bin limn
  mkdir -p bin
  if ! cmp -s "$CARGO_TARGET_DIR/debug/limn" bin/limn; then
    cp "$CARGO_TARGET_DIR/debug/limn" bin/.limn-new
    mv bin/.limn-new bin/limn
  fi
}

need_rust
case ${1:-all} in
  app) build_app ;;
  server) build_server ;;
  all) build_app; build_server; say "bin/limn is ready: bin/limn serve --help" ;;
  *) fail "build.sh takes app, server or nothing, not $1" ;;
esac
