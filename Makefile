# Two commands matter: `make demo` and `make test`. Everything else is in the README.

.DEFAULT_GOAL := help
.PHONY: help setup baselines peers demo test check up protos
.PHONY: bench bench-encoder bench-rank bench-e2e bench-ingest bench-scale bench-train

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 20

setup: ## Make the environments (.venv, encoder runtime, buf); quick when nothing changed
	@scripts/setup

baselines: ## Make the environment of the baseline recommenders (.venv-baselines)
	@scripts/setup_baselines

peers: ## Make the environment of what benchmarks measure Tandem against (.venv-peers)
	@scripts/setup_peers

demo: setup ## From nothing to ranked lists on a made-up world, in one go
	@.venv/bin/tandem demo

test: setup ## Run all tests
	.venv/bin/python -m pytest $(ARGS)

check: setup ## Lint, types, import law, contracts, generated code
	@scripts/check

up: setup ## Start the whole stack, for example: make up ARGS="--release releases/mls"
	.venv/bin/tandem up $(ARGS)

protos: setup ## Regenerate the Python stubs from protos/
	scripts/generate_protos

bench-train: setup ## Training: share of the machine's limit, and cost at 30 k to 300 k events; about an hour
	.venv/bin/python -m benchmarks.training_limit
	.venv/bin/python -m benchmarks.training $(ARGS)

bench-encoder: setup peers ## The text encoder against the bare engine and peers; 18 minutes
	.venv/bin/python -m benchmarks.encoder $(ARGS)

bench-rank: setup peers ## What ranking costs, by size, callers and stages, and a cross-encoder beside it; 5 minutes
	@test -d var/demo/release || .venv/bin/tandem demo
	.venv/bin/python -m benchmarks.rank --texts var/demo/world $(ARGS)

bench-ingest: setup ## The rate of UpsertItems, and what it does to online requests; 6 minutes
	@test -d var/demo/release || .venv/bin/tandem demo
	.venv/bin/python -m benchmarks.ingest $(ARGS)

bench-e2e: setup ## Measure Recommend end to end: latency, capacity, overload; 6 minutes
	@test -d var/demo/release || .venv/bin/tandem demo
	.venv/bin/python -m benchmarks.e2e $(ARGS)

bench-scale: setup ## What 10^4 to 10^6 items and users cost: search, memory, start, state; 11 minutes with ARGS="--width 64"
	.venv/bin/python -m benchmarks.scale $(ARGS)

bench: setup ## Measure encoder, ranking and the whole path; results go to benchmarks/results
	@test -d var/demo/release || .venv/bin/tandem demo
	.venv/bin/python -m benchmarks.encoder
	.venv/bin/python -m benchmarks.rank
	.venv/bin/python -m benchmarks.e2e
