#!/usr/bin/env bash
# make test: every test, cheap ones first, nothing built twice. Goes on after a
# failure to show all of them, ends with the sums, and fails if anything did.
# `test.sh rust`, `outside` and `browser` run one part.

. "$(dirname "$0")/ground.sh"

LOGS=$CACHE/logs
mkdir -p "$LOGS"
rm -f "$LOGS"/*.log
FAILED=()

# part NAME TEXT COMMAND…: runs a part, keeps its output in a log, remembers a failure.
part() {
  local name=$1 text=$2
  shift 2
  step "$text" logged "$LOGS/$name.log" "$@" || FAILED+=("$name")
}

logged() {
  local log=$1
  shift
  "$@" 2>&1 | tee "$log"
}

rust_tests() {
  need_vulkan
  part rust "Rust tests: engine, server, app, the system from outside" \
    cargo test --locked --workspace --no-fail-fast
}

outside_tests() {
  need_node_modules
  need_python
  SAMPLE=$(tools/sample.sh cached) || { FAILED+=(sample); return 0; }
  export LIMN_SAMPLE_LAKE=$SAMPLE LIMN_BINARY=$ROOT/bin/limn
  part outside "tests over HTTP: formats, queries, Delta, S3, hostile input" \
    "$PYTHON" -m pytest -q --tb=short -p no:cacheprovider tests
}

browser_tests() {
  need_node_modules
  need_chromium
  need_python
  SAMPLE=$(tools/sample.sh cached) || { FAILED+=(sample); return 0; }
  export LIMN_SAMPLE_LAKE=$SAMPLE LIMN_BINARY=$ROOT/bin/limn LIMN_PYTHON=$PYTHON
  part browser "tests in the browser: WebGPU by SwiftShader, and the raster" node tests/browser/run.mjs
}

# Sums up what cargo, pytest and the browser's runner said of themselves.
sums() {
  awk '
    /^test result: /   { for (i = 1; i < NF; i++) { if ($(i+1) ~ /^passed/) p += $i; if ($(i+1) ~ /^failed/) f += $i; if ($(i+1) ~ /^ignored/) s += $i } next }
    /^=*[ ]*[0-9]+ (passed|failed|skipped|error)/ { line = $0; gsub(/[=,]/, " ", line); n = split(line, w, " ")
      for (i = 1; i < n; i++) { if (w[i+1] ~ /^passed/) p += w[i]; if (w[i+1] ~ /^(failed|error)/) f += w[i]; if (w[i+1] ~ /^skipped/) s += w[i] } }
    END { printf "all tests: %d passed, %d failed, %d not run\n", p, f, s }
  ' "$@"
}

BEGAN=$SECONDS
need_rust
case ${1:-all} in
  rust) rust_tests; RAN=(rust) ;;
  outside) outside_tests; RAN=(outside) ;;
  browser) browser_tests; RAN=(browser) ;;
  all)
    RAN=(rust)
    rust_tests
    if tools/build.sh; then
      RAN=(rust outside browser)
      outside_tests
      browser_tests
    else
      FAILED+=(build)
    fi ;;
  *) fail "test.sh takes rust, outside, browser or nothing, not $1" ;;
esac

READ=()
for name in "${RAN[@]}"; do [ ! -f "$LOGS/$name.log" ] || READ+=("$LOGS/$name.log"); done
sums "${READ[@]}" </dev/null
say "took $(((SECONDS - BEGAN) / 60)) min $(((SECONDS - BEGAN) % 60)) s"
[ ${#FAILED[@]} -eq 0 ] || fail "failed: ${FAILED[*]} (logs in $LOGS)"
say "every test passed"
