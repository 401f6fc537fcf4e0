#!/usr/bin/env bash
# make lint: format, clippy for the host and for wasm32, bans and licences.

. "$(dirname "$0")/ground.sh"

need_rust
need_wasm_target
cargo fmt --version >/dev/null 2>&1 || fail "rustfmt is missing: rustup component add rustfmt"
cargo clippy --version >/dev/null 2>&1 || fail "clippy is missing: rustup component add clippy"

step "format" cargo fmt --all --check
step "clippy for the host" cargo clippy --locked --workspace --all-targets -- -D warnings
step "clippy for wasm32" cargo clippy --locked -p embedding -p engine -p gpu -p app -p mapper -p matcher -p reader -p worker --target wasm32-unknown-unknown -- -D warnings
step "scripts parse" bash -n tools/*.sh .ci/run
if have shellcheck; then step "shellcheck" shellcheck -x -e SC1091 tools/*.sh .ci/run; fi
if have cargo-deny; then
  # Advisories need a network and change by the day; bans and licences do neither.
  step "bans and licences" cargo deny --offline --locked check bans licenses sources
else
  say "cargo-deny is not installed: bans and licences not looked at (cargo install --locked cargo-deny)"
fi
say "no complaints"
