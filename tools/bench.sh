#!/usr/bin/env bash
# make bench: Limn beside its peers, on the same files; ONLY=W1 runs a part, and
# ROWS=1000000 one table. benches/README.md says what each part is and holds the figures.
# It fails where answers are unequal, never for a time.

. "$(dirname "$0")/ground.sh"

ONLY=${ONLY:-}
ROWS=${ROWS:-}
DATA=$CACHE/bench-$(digest tools/generate_table.py)

wanted() {
  local part
  [ -z "$ONLY" ] && return 0
  for part in $ONLY; do [[ " $* " == *" $part "* ]] && return 0; done
  return 1
}

# The same rows for Limn (Parquet) and, out of its sight, for peers that read Arrow.
need_data() {
  local size rows
  mkdir -p "$DATA/_peers"
  for size in 1 3 5 10; do
    rows=$((size * 1000000))
    [ -z "$ROWS" ] || [ "$ROWS" = "$rows" ] || continue
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

# Sets BENCH_PYTHON: the peers that only benches ask for have an environment of their own.
need_bench_python() {
  local venv
  venv=$CACHE/venv-$({ python3 --version; cat benches/requirements.txt; } | digest -)
  BENCH_PYTHON=$venv/bin/python
  [ -f "$venv/.complete" ] && return 0
  rm -rf "$venv"
  python3 -m venv "$venv"
  step "fetching the Python peers" \
    "$BENCH_PYTHON" -m pip install --quiet --disable-pip-version-check --requirement benches/requirements.txt
  touch "$venv/.complete"
}

bundle_peers() {
  rm -rf benches/bundled
  benches/node_modules/.bin/esbuild peers=benches/peers/index.js atlas=benches/peers/atlas.js \
    boot_duckdb=benches/peers/boot_duckdb.js boot_perspective=benches/peers/boot_perspective.js \
    --bundle --minify --format=esm --outdir=benches/bundled --log-level=warning
  # Named by their place beside the script that starts them.
  cp benches/node_modules/embedding-atlas/dist/*.worker.js benches/bundled/
}

need_node_modules
need_python
need_data
# LIMN_BINARY names one that is there already.
[ -n "${LIMN_BINARY:-}" ] || tools/build.sh
BINARY=${LIMN_BINARY:-bin/limn}
if wanted server-scan && { [ -z "$ROWS" ] || [ "$ROWS" = 3000000 ]; }; then
  step "scan, filter and group beside DuckDB and Polars" "$PYTHON" benches/server.py "$BINARY" "$DATA" "$DATA/d3m.parquet"
fi
if wanted embedding && [ -z "$ROWS" ]; then
  need_bench_python
  step "clusters and layouts beside scikit-learn, faiss, umap-learn, openTSNE and fast_hdbscan" \
    "$BENCH_PYTHON" benches/embedding.py "$BINARY"
fi
if wanted encode && [ -z "$ROWS" ]; then
  step "vectors of pictures beside onnxruntime" "$PYTHON" benches/encode.py "$BINARY"
fi
if wanted W1 W2 W3 W4 W5 W6 W7 W8 W10 memory wire size; then
  need_chromium
  need_peers
  step "bundling the peers" bundle_peers
  step "in the browser beside its peers" \
    env ONLY="$ONLY" ROWS="$ROWS" node benches/browser.mjs "$BINARY" "$DATA" "$CACHE/bench-browser.json"
  ONLY="$ONLY" "$PYTHON" benches/browser_rows.py "$CACHE/bench-browser.json"
fi
