#!/usr/bin/env bash
# make sample: the sample lake, made once per recipe in the cache and copied to
# ./lake where there is none yet. A lake that is there stays as it is, since
# dashboards and tables of the user may live in it. `sample.sh cached` only
# prints where the pristine copy is, for tests.

. "$(dirname "$0")/ground.sh"

need_node_modules
need_python
SAMPLE=$CACHE/sample-$(digest tools/sample_lake.py tools/sample_tables.py tools/delta_log.py tools/requirements.txt package-lock.json)
if [ ! -d "$SAMPLE" ]; then
  rm -rf "$CACHE"/sample-*
  step "making the sample lake from real data" "$PYTHON" tools/sample_lake.py --out "$SAMPLE"
fi
if [ "${1:-}" = cached ]; then
  echo "$SAMPLE"
elif [ ! -e lake ]; then
  cp -Rp "$SAMPLE" .lake-new
  mv .lake-new lake
  say "the sample lake is in ./lake"
else
  say "./lake is there already; remove it to have the sample lake made anew"
fi
