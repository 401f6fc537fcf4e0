# The commands of Limn. Each sets up what it needs and says what it is doing;
# the work is in tools/, one small script per command.

.DEFAULT_GOAL := help
.PHONY: help run build sample test bench soak lint

help: ## list the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## build, make the sample lake, serve it, print the address
	@tools/run.sh

build: ## bundle the app and leave bin/limn, which carries it
	@tools/build.sh

sample: ## make the sample lake in ./lake from real data
	@tools/sample.sh

test: ## every test: Rust, HTTP, S3, foreign clients, browser
	@tools/test.sh

bench: ## measure beside the peers; ONLY=W1 runs a part, ROWS=1000000 one table
	@ONLY="$(ONLY)" ROWS="$(ROWS)" tools/bench.sh

soak: ## what is long: fuzzing, kill tests, the random walk; ONLY=walk, MINUTES=, SEED=
	@ONLY="$(ONLY)" MINUTES="$(MINUTES)" ROUNDS="$(ROUNDS)" SEED="$(SEED)" tools/soak.sh

lint: ## format, clippy for host and wasm32, licences and bans
	@tools/lint.sh
