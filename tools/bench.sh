#!/usr/bin/env bash
# make bench: Limn beside its peers, on the same files; ONLY=W1 runs a part.
# benches/README.md says what each part is and holds the figures.

. "$(dirname "$0")/ground.sh"

ONLY=${ONLY:-}
DATA=$CACHE/bench-$(digest tools/generate_table.py)

wanted() { [ -z "$ONLY" ] || [[ " $* " == *" $ONLY "* ]]; }

# The same rows for Limn (Parquet) and, out of its sight, for peers that read Arrow.
need_data() {
  local size rows
  mkdir -p "$DATA/_peers"
  for size in 1 3 5; do
    rows=$((size * 1000000))
    [ -f "$DATA/d${size}m.parquet" ] ||
      step "making $rows rows" "$PYTHON" tools/generate_table.py "$rows" "$DATA/d${size}m.parquet"
    [ -f "$DATA/_peers/d${size}m.arrows" ] ||
      step "making $rows rows for peers" "$PYTHON" tools/generate_table.py "$rows" "$DATA/_peers/d${size}m.arrows"
  done
}

need_peers() {
  local stamp
  stamp=$(digest benches/package-lock.json)
  [ "$(cat benches/node_modules/.limn-stamp 2>/dev/null)" = "$stamp" ] && return 0
  step "fetching the peers from npm" npm ci --prefix benches --no-audit --no-fund --loglevel=error
  echo "$stamp" >benches/node_modules/.limn-stamp
}

need_node_modules
need_python
need_data
tools/build.sh
if wanted server-scan; then
  step "scan, filter and group beside DuckDB and Polars" "$PYTHON" benches/server.py bin/limn "$DATA" "$DATA/d3m.parquet"
fi
if wanted W1 W2 W3 W4 W5 W6 W7 wire size; then
  need_chromium
  need_peers
  step "bundling the peers" benches/node_modules/.bin/esbuild benches/peers/index.js \
    --bundle --format=esm --outfile=benches/bundled/peers.js --log-level=warning
  step "in the browser beside its peers" \
    env ONLY="$ONLY" node benches/browser.mjs bin/limn "$DATA" "$CACHE/bench-browser.json"
  "$PYTHON" benches/browser_rows.py "$CACHE/bench-browser.json"
fi
