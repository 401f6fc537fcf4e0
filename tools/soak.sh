#!/usr/bin/env bash
# make soak: what is long. More rounds of everything that is drawn by chance: damaged
# files and queries, property tests, the walk through the page, fuzzing.
# MINUTES (default 10) is for each fuzz target, ROUNDS (default 10) multiplies the rest.

. "$(dirname "$0")/ground.sh"

MINUTES=${MINUTES:-10}
ROUNDS=${ROUNDS:-10}
FAILED=()

part() {
  local text=$1
  shift
  step "$text" "$@" || FAILED+=("$text")
}

fuzz() {
  local target
  if ! have cargo-fuzz; then
    step "compiling cargo-fuzz (once)" install_tool cargo-fuzz 0.13.1 1 --locked
  fi
  "$PYTHON" tools/fuzz_seeds.py "$CACHE/fuzz"
  for target in tests/fuzz/targets/*.rs; do
    target=$(basename "$target" .rs)
    # Without a sanitizer it builds on stable; panics, aborts and memory limits still show.
    # What it learns is kept, so that the next soak goes on from there.
    part "fuzzing $target for $MINUTES min" env CARGO_TARGET_DIR="$CACHE/fuzz-target" \
      cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none "$target" "$CACHE/fuzz/$target" -- \
      -max_total_time=$((MINUTES * 60)) -rss_limit_mb=2048 -timeout=20
  done
}

need_rust
tools/build.sh
need_python
need_chromium
SAMPLE=$(tools/sample.sh cached)
export LIMN_SAMPLE_LAKE=$SAMPLE LIMN_BINARY=$ROOT/bin/limn LIMN_PYTHON=$PYTHON LIMN_SOAK=$ROUNDS
part "property tests with $((ROUNDS * 2000)) cases" \
  env PROPTEST_CASES=$((ROUNDS * 2000)) cargo test --locked --workspace
part "hostile files, queries and clients" "$PYTHON" -m pytest -q --tb=short -p no:cacheprovider tests/test_hostile.py
part "the browser, with its random walk" node tests/browser/run.mjs
fuzz
[ ${#FAILED[@]} -eq 0 ] || fail "failed: ${FAILED[*]}"
say "nothing broke"
