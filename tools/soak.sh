#!/usr/bin/env bash
# make soak: what is long. More rounds of everything that is drawn by chance: damaged
# files and queries, property tests, walks through the page, fuzzing; ONLY=walk (or
# rust, outside, browser, fuzz) runs a part. MINUTES is for the long walk (default 30) and
# for each fuzz target (default 10), ROUNDS (default 10) multiplies the rest. SEED has the
# long walk go the same way again.

. "$(dirname "$0")/ground.sh"

MINUTES=${MINUTES:-}
SEED=${SEED:-}
ONLY=${ONLY:-}
ROUNDS=${ROUNDS:-10}
FAILED=()

wanted() { [ -z "$ONLY" ] || [[ " $ONLY " == *" $1 "* ]]; }

part() {
  local text=$1
  shift
  step "$text" "$@" || FAILED+=("$text")
}

fuzz() {
  local target minutes=${MINUTES:-10}
  if ! have cargo-fuzz; then
    step "compiling cargo-fuzz (once)" install_tool cargo-fuzz 0.13.1 1 --locked
  fi
  "$PYTHON" tools/fuzz_seeds.py "$CACHE/fuzz"
  for target in tests/fuzz/targets/*.rs; do
    target=$(basename "$target" .rs)
    # Without a sanitizer it builds on stable; panics, aborts and memory limits still show.
    # What it learns is kept, so that the next soak goes on from there.
    part "fuzzing $target for $minutes min" env CARGO_TARGET_DIR="$CACHE/fuzz-target" \
      cargo fuzz run --fuzz-dir tests/fuzz --sanitizer none "$target" "$CACHE/fuzz/$target" -- \
      -max_total_time=$((minutes * 60)) -rss_limit_mb=2048 -timeout=20
  done
}

need_rust
# LIMN_BINARY names one that is there already.
[ -n "${LIMN_BINARY:-}" ] || tools/build.sh
need_python
need_chromium
SAMPLE=$(tools/sample.sh cached)
export LIMN_SAMPLE_LAKE=$SAMPLE LIMN_BINARY=${LIMN_BINARY:-$ROOT/bin/limn} LIMN_PYTHON=$PYTHON LIMN_SOAK=$ROUNDS
if wanted rust; then
  need_vulkan
  part "property tests with $((ROUNDS * 2000)) cases" \
    env PROPTEST_CASES=$((ROUNDS * 2000)) cargo test --locked --workspace
fi
if wanted outside; then
  part "hostile files, queries and clients" "$PYTHON" -m pytest -q --tb=short -p no:cacheprovider tests/test_hostile.py
fi
if wanted browser; then
  part "the browser, with its random walk" node tests/browser/run.mjs
fi
if wanted walk; then
  part "a walk of ${MINUTES:-30} min, with what it leaves behind weighed" \
    node tests/browser/soak.mjs --minutes "${MINUTES:-30}" ${SEED:+--seed "$SEED"}
fi
if wanted fuzz; then fuzz; fi
[ ${#FAILED[@]} -eq 0 ] || fail "failed: ${FAILED[*]}"
say "nothing broke"
