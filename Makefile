.DEFAULT_GOAL := help
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin/
PYTHON ?= python3
READY := $(VENV)/.ready
# Each process starts a Neo4j of its own; one that is given is emptied by every test: they follow each other.
PROCESSES := $(if $(HEADWATER_TEST_NEO4J_URI),,-n 2 --dist loadfile)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)uv || $(BIN)python -m pip install --quiet --disable-pip-version-check uv
	VIRTUAL_ENV=$(VENV) $(BIN)uv pip install --quiet --editable ".[dev]" --constraint constraints.txt
	@touch $@

help: ## Show this help
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

dev: $(READY) ## Install everything into .venv

up: $(READY) ## Start the server on the embedded store with the demo data; ARGS= adds options
	$(BIN)headwater up --demo $(ARGS)

test: $(READY) ## Run every test, Neo4j's included; T=path picks some
	$(BIN)pytest $(PROCESSES) $(T)

test-neo4j-matrix: $(READY) ## Run the Neo4j tests on 5.26 and on a calendar release, in Cypher 5 and 25
	HEADWATER_TEST_NEO4J_VERSION=5.26 $(BIN)pytest -m neo4j $(T)
	HEADWATER_TEST_NEO4J_VERSION=2026 HEADWATER_TEST_CYPHER=5 $(BIN)pytest -m neo4j $(T)
	HEADWATER_TEST_NEO4J_VERSION=2026 HEADWATER_TEST_CYPHER=25 $(BIN)pytest -m neo4j $(T)

lint: $(READY) ## Check format, lint, types and architecture
	$(BIN)ruff format --check .
	$(BIN)ruff check .
	$(BIN)mypy
	$(BIN)lint-imports

fix: $(READY) ## Format and mend what can be mended
	$(BIN)ruff format .
	$(BIN)ruff check --fix .

check: export CI := true
check: lint test ## What CI runs: lint and every test, a missing Neo4j is a failure

bench: $(READY) ## Measure the figures of the README; ARGS= picks some
	$(BIN)python -m bench $(ARGS)

bench-mlflow: $(READY) ## Measure beside MLflow's own server, which is installed once, apart; ARGS="--size 0.1", ARGS=--write
	$(BIN)python -m bench mlflow $(ARGS)

chaos: $(READY) ## Break everything for half an hour; writes the table of docs/reliability.md; ARGS= picks some
	$(BIN)python -m tests.faults $(ARGS)

score-sql: $(READY) ## Score SQL lineage on a corpus: HEADWATER_SQL_CORPUS=folder
	$(BIN)python bench/score_sql.py

pins: $(READY) ## Pin every dependency again
	$(BIN)uv pip compile --quiet --upgrade --universal --no-emit-index-url --all-extras pyproject.toml --output-file constraints.txt

schema: $(READY) ## Write server/schema.graphql from the code
	$(BIN)headwater schema > server/schema.graphql.new
	mv server/schema.graphql.new server/schema.graphql

.PHONY: help dev up test test-neo4j-matrix lint fix check bench bench-mlflow chaos score-sql pins schema
