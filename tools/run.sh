#!/usr/bin/env bash
# make run: build, make the sample lake where there is none, serve both.
# ARGS adds flags of `limn serve`, as in make run ARGS='--listen 127.0.0.1:9000'.

. "$(dirname "$0")/ground.sh"

tools/build.sh
tools/sample.sh
say "serving ./lake; stop with Ctrl-C"
# shellcheck disable=SC2086  # ARGS is a list of words
exec bin/limn serve --lake lake ${ARGS:-}
