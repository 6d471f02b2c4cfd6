# The one face of every task. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STACK ?= ipv6
QUICK := tests/unit tests/checks tests/house
# Tests that share a cluster run one after the other.
REAL := --numprocesses 3 --dist loadgroup tests/cluster tests/faults
WORKFLOWS := $(wildcard .github/workflows/*.yml) ci/github/matrix.yml

.PHONY: help venv conformance test fast lint types cluster bench docs site lab clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(VENV)/ready ## the virtual environment with everything for development

$(VENV)/ready: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet 'pip>=25.1'
	$(BIN)/pip install --quiet --editable . --group dev
	touch $@

lab: ## a container engine and images without a container registry, where they are missing
	@ci/detect || ci/lab/lab up

conformance: venv lab ## make an IPv6-only cluster, run the suite, write report.yaml, report.json and bundles
	eval "$$(ci/lab/lab env)"
	$(BIN)/pytest --ipv6k8s-provider kind --ipv6k8s-stack $(STACK) \
	  --ipv6k8s-report report.yaml --ipv6k8s-report report.json --ipv6k8s-report report.html \
	  --ipv6k8s-bundle bundles --pyargs pytest_ipv6k8s.conformance

fast: venv ## unit, check and house tests: no cluster, no network
	$(BIN)/pytest $(QUICK)

lint: venv ## ruff, import-linter, vermin, codespell; actionlint, zizmor and shellcheck for what runs on GitHub
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/vermin --quiet --target=3.9- --no-tips --violations pytest_ipv6k8s/agent
	$(BIN)/codespell
	PATH="$$PWD/$(BIN):$$PATH" ci/github/actionlint $(WORKFLOWS)
	$(BIN)/zizmor --offline --no-progress --quiet --config ci/github/zizmor.yml \
	  action.yml .github/dependabot.yml $(WORKFLOWS)

types: venv ## mypy, strict
	$(BIN)/mypy

cluster: venv lab ## the tests on real clusters
	eval "$$(ci/lab/lab env)"
	$(BIN)/pytest $(REAL)

test: lint types lab ## everything that CI runs
	eval "$$(ci/lab/lab env)"
	$(BIN)/pytest --numprocesses 2 $(QUICK) tests/plugin
	$(BIN)/pytest $(REAL)

bench: venv lab ## measure a run on a ready two-node cluster
	eval "$$(ci/lab/lab env)"
	$(BIN)/python -m ci.bench.bench

docs: venv ## write the pages that are made from the code
	$(BIN)/python ci/options_page.py
	$(BIN)/python ci/catalogue_pages.py

site: venv ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file ci/docs/mkdocs.yml

clean: ## remove what is made here (not the lab's cache)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
