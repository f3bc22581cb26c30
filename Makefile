# Each target is a line over the locked environment; the first one that runs makes it.
SHELL := /bin/bash
PYTHON ?= python3
UV := .uv/bin/uv
UV_VERSION := 0.13.9
BIN := .venv/bin
ARGS ?=

.PHONY: help up test test-long check bench chaos fuzz proto schema reference screenshots docs prometheus format clean
help: ## the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

up: .venv/.made ## the whole stack with a simulated fleet (ARGS="--for 60s --json")
	@$(BIN)/chamberlog up $(ARGS)

test: .venv/.made ## every test that needs no container (ARGS="-k pause" for some)
	@$(BIN)/pytest -n 2 --ignore tests/e2e $(ARGS)
	@$(BIN)/pytest -n 2 --dist loadgroup tests/e2e $(ARGS) || [ $$? = 5 ]  # 5: ARGS left none of them

test-long: .venv/.made ## what takes minutes: ten times as many requests made from the OpenAPI document
	@$(BIN)/pytest -n 2 -m long $(ARGS)

check: .venv/.made ## format, lint, types, import contracts, dependencies, configurations of Envoy
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/pytest -q tests/contract/test_envoy_configurations.py

bench: .venv/.made ## what a reading costs, beside the peers; half an hour (ARGS=--quick: 8 minutes)
	@$(BIN)/python -m bench $(ARGS)

chaos: .venv/.made ## what becomes of every slot under one fault after another; half an hour (ARGS=--short: 3 minutes)
	@$(BIN)/python -m chaos $(ARGS)

fuzz: .venv/.made ## a million mutated answers of devices through the mapping; ten minutes (ARGS="--count 50000 --seed 1")
	@$(BIN)/python -m fuzz $(ARGS)

screenshots: .venv/.made ## the pictures of the documents, of a stack that really runs; needs Chromium (ARGS="desk-chamber" for some)
	@$(BIN)/python -m handbook.screenshots $(ARGS)

proto: .venv/.made ## make the code of the gRPC API from proto/
	@$(BIN)/python proto/generate.py api/grpc/generated

prometheus: ## fetch Debian's Prometheus into the user's cache, for the tests of rules and dashboards
	@.ci/prometheus

schema: .venv/.made ## write docs/schema.md from a migrated database
	@$(BIN)/python -m handbook schema

reference: .venv/.made ## write the references of REST and gRPC from what the API says of itself
	@$(BIN)/python -m handbook reference

docs: .venv/.made ## the documents as a site, in build/site; its links checked
	@$(BIN)/python -m handbook site

format: .venv/.made ## rewrite the files as the formatter wants them
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

clean: ## the environments (the data of the local stack in .chamberlog stays)
	rm -rf .venv .uv

.uv/bin/uv:
	@echo "installing uv $(UV_VERSION) into .uv ..." >&2
	@$(PYTHON) -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION) >&2

.venv/.made: pyproject.toml uv.lock .uv/bin/uv
	@echo "installing the locked environment into .venv ..." >&2
	@$(UV) sync --locked --python $(PYTHON) >&2
	@touch $@
