# What every script here stands on: where things are kept, which versions are
# wanted, how to speak, and how to install what is missing. Sourced, never run.
# Presence is always checked first, so that nothing reaches out to a network
# once everything is there.

set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$ROOT"

CACHE=${LIMN_CACHE:-$HOME/.cache/limn}
TOOLS=$CACHE/tools
TRUNK_VERSION=0.21.14
WASM_SPLIT_VERSION=0.2.4
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$CACHE/target}
# Tools of ours come first, so that Trunk finds the wasm-bindgen and wasm-opt
# it needs and downloads neither.
export PATH=$TOOLS/bin:$ROOT/node_modules/.bin:$HOME/.cargo/bin:$PATH
mkdir -p "$CACHE"

say() { printf '\033[1m── %s\033[0m\n' "$*" >&2; }
fail() { printf '\033[31m── %s\033[0m\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# step TEXT COMMAND…: says what begins, that it still goes on, and how long it took.
step() {
  local text=$1 began=$SECONDS beat status=0
  shift
  say "$text"
  # The sleep must hold none of our pipes: whoever reads us would wait for it.
  ( while sleep 60 </dev/null >/dev/null 2>&1; do printf '   … %s: %s s so far\n' "$text" "$((SECONDS - began))" >&2; done ) &
  beat=$!
  "$@" || status=$?
  kill "$beat" 2>/dev/null && wait "$beat" 2>/dev/null || true
  if [ "$status" -eq 0 ]; then
    printf '   %s: done in %s s\n' "$text" "$((SECONDS - began))" >&2
  else
    printf '   %s: failed after %s s\n' "$text" "$((SECONDS - began))" >&2
  fi
  return "$status"
}

digest() { cat "$@" | { sha256sum 2>/dev/null || shasum -a 256; } | cut -c1-16; }

# as_root COMMAND…: runs it where root is to be had without asking; else fails.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif have sudo && sudo -n true 2>/dev/null; then sudo "$@"
  else return 1; fi
}

# need_package COMMAND PACKAGE WHY: has the system's package installed, or says which.
need_package() {
  if have "$1"; then return 0; fi
  if have apt-get; then
    say "installing the system package $2 ($3)"
    if as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >"$CACHE/apt.log" 2>&1; then return 0; fi
    if as_root apt-get update -q >>"$CACHE/apt.log" 2>&1 &&
      as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q "$2" >>"$CACHE/apt.log" 2>&1; then return 0; fi
  fi
  fail "$1 is missing ($3): install the package $2 and run this again"
}

need_rust() {
  have cargo || fail "cargo is missing: install Rust stable (https://rustup.rs) and run this again"
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  found=$(rustc --version | cut -d' ' -f2)
  [ "$(printf '%s\n%s\n' "$wanted" "${found%%-*}" | sort -V | head -n1)" = "$wanted" ] ||
    fail "Rust $wanted or newer is needed, this is $found: run 'rustup update stable'"
  need_package cc build-essential "the linker of the server"
}

need_wasm_target() {
  [ -d "$(rustc --print target-libdir --target wasm32-unknown-unknown)" ] && return 0
  have rustup || fail "the Rust target wasm32-unknown-unknown is missing: install it beside $(command -v rustc)"
  step "adding the Rust target wasm32-unknown-unknown" rustup target add wasm32-unknown-unknown
}

# install_tool CRATE VERSION OPT_LEVEL FLAGS…: one compile, kept outside the checkout.
# Tools run for seconds, so they are compiled for a quick build.
install_tool() {
  local crate=$1 version=$2 level=$3
  shift 3
  env CARGO_TARGET_DIR="$CACHE/tools-target" CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_OPT_LEVEL="$level" CARGO_PROFILE_RELEASE_DEBUG=0 \
    cargo install --root "$TOOLS" "$crate@$version" "$@" || return 1
  rm -rf "$CACHE/tools-target"
}

need_trunk() {
  if have trunk && [ "$(trunk --version)" = "trunk $TRUNK_VERSION" ]; then return 0; fi
  step "compiling trunk $TRUNK_VERSION (once, about ten minutes on two cores)" \
    install_tool trunk "$TRUNK_VERSION" 1 --locked --no-default-features --features rustls
}

need_wasm_bindgen() {
  local version
  version=$(awk '/^name = "wasm-bindgen"$/{getline; gsub(/[^0-9.]/, ""); print; exit}' Cargo.lock)
  if have wasm-bindgen && [ "$(wasm-bindgen --version)" = "wasm-bindgen $version" ]; then return 0; fi
  # Its published lock file may name releases that a registry no longer shows.
  step "compiling wasm-bindgen $version (once, about five minutes on two cores)" wasm_bindgen_install "$version"
}

wasm_bindgen_install() {
  install_tool wasm-bindgen-cli "$1" 2 --bin wasm-bindgen --locked || install_tool wasm-bindgen-cli "$1" 2 --bin wasm-bindgen
}

# Cuts the page into parts that are fetched when they are used; it has no --version.
need_wasm_split() {
  local stamp=$TOOLS/wasm-split-$WASM_SPLIT_VERSION
  if have wasm-split-cli && [ -f "$stamp" ]; then return 0; fi
  step "compiling wasm-split $WASM_SPLIT_VERSION (once, about two minutes on two cores)" \
    install_tool wasm_split_cli_support "$WASM_SPLIT_VERSION" 2 --locked --features build-binary --force
  touch "$stamp"
}

need_node_modules() {
  have node || fail "node is missing: install Node 20 or newer and run this again"
  local stamp
  stamp=$(digest package-lock.json)
  [ "$(cat node_modules/.limn-stamp 2>/dev/null)" = "$stamp" ] && return 0
  step "fetching the npm packages of build and tests" npm ci --no-audit --no-fund --loglevel=error
  echo "$stamp" >node_modules/.limn-stamp
}

# Sets PYTHON to the interpreter of a virtual environment named by what is in it.
need_python() {
  have python3 || fail "python3 is missing: install Python 3.11 or newer and run this again"
  local venv
  venv=$CACHE/venv-$({ python3 --version; cat tools/requirements.txt; } | digest -)
  PYTHON=$venv/bin/python
  export PYTHON
  [ -f "$venv/.complete" ] && return 0
  rm -rf "$venv"
  say "making the Python environment"
  if ! python3 -m venv "$venv" >"$CACHE/venv.log" 2>&1; then
    need_package /usr/lib/python3/dist-packages/ensurepip python3-venv "Python's virtual environments"
    python3 -m venv "$venv"
  fi
  step "fetching the Python packages of the tests" \
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --requirement tools/requirements.txt
  touch "$venv/.complete"
}

# A graphics device that the processor plays, for the tests of compute passes. Where there is no
# Vulkan to be had, as on a Mac, those tests are not built.
need_vulkan() {
  local drivers
  [ "$(uname -s)" = Linux ] || return 0
  for drivers in /usr/share/vulkan/icd.d /etc/vulkan/icd.d /usr/local/share/vulkan/icd.d; do
    if compgen -G "$drivers/*.json" >/dev/null; then return 0; fi
  done
  [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ] || return 0
  need_package "Vulkan's driver" mesa-vulkan-drivers "the graphics device of the tests"
}

# Sets CHROMIUM to a browser that WebGPU tests can drive.
need_chromium() {
  local name
  for name in "${LIMN_CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
    if [ -n "$name" ] && have "$name"; then CHROMIUM=$(command -v "$name"); export CHROMIUM; return 0; fi
  done
  need_package chromium chromium "the browser of the tests"
  if have apt-get; then
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q fonts-dejavu-core fonts-liberation >>"$CACHE/apt.log" 2>&1 || true
  fi
  CHROMIUM=$(command -v chromium)
  export CHROMIUM
}
