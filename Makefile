# The one face of every task. `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
GROUP ?= dev
STACK ?= ipv6
# conformance/ and fixtures/ are part of the package: setuptools warns of every such layout.
INSTALL = PYTHONWARNINGS='ignore:Editable installation' $(BIN)/pip install --quiet --editable .
QUICK := tests/unit tests/checks tests/house
OFFLINE := $(QUICK) tests/plugin
# Tests that share a cluster run one after the other.
REAL := --numprocesses 3 --dist loadgroup tests/cluster tests/faults tests/oddities
WORKFLOWS := $(wildcard .github/workflows/*.yml) ci/github/matrix.yml

.PHONY: help venv conformance test fast offline lowest lint types cluster oddities faults soak bench loss fuzz docs site lab lab-cilium clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

venv: $(VENV)/ready ## the virtual environment with everything for development

$(VENV)/ready: pyproject.toml $(VENV)/installed
	$(INSTALL) --group $(GROUP)
	touch $@

$(VENV)/installed: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet 'pip>=25.1'
	$(INSTALL)
	touch $@

lab: ## a container engine and images without a container registry, where they are missing
	@ci/detect || ci/lab/lab up

lab-cilium: ## the same, and Helm, Cilium and a node image with it
	@ci/detect || ci/lab/lab up --with cilium

conformance: $(VENV)/installed lab ## make an IPv6-only cluster, run the suite, write report.yaml, report.json and bundles
	eval "$$(ci/lab/lab env)"
	$(BIN)/ipv6k8s run --kind $(STACK) -o report.yaml -o report.json -o report.html \
	  --ipv6k8s-bundle=bundles

fast: venv ## unit, check and house tests: no cluster, no network
	$(BIN)/pytest --numprocesses 2 $(QUICK)

offline: venv ## those and the plugin's tests: all that needs no cluster
	$(BIN)/pytest --numprocesses 2 $(OFFLINE)

lowest: ## the unit and plugin tests with the oldest libraries that pyproject.toml allows
	$(PYTHON) -m venv --clear build/lowest
	build/lowest/bin/pip install --quiet 'pip>=25.1' 'uv>=0.9'
	build/lowest/bin/uv pip compile --quiet --resolution lowest-direct --group test --extra xdist \
	  --python build/lowest/bin/python --output-file build/lowest/constraints.txt pyproject.toml
	$(INSTALL:$(BIN)/%=build/lowest/bin/%) --group test --constraint build/lowest/constraints.txt
	build/lowest/bin/pytest --numprocesses 2 tests/unit tests/plugin

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

cluster: venv lab-cilium ## the tests on real clusters
	eval "$$(ci/lab/lab env)"
	$(BIN)/pytest $(REAL)

oddities: venv lab ## the suite on clusters that are odd but healthy, all of them
	eval "$$(ci/lab/lab env)"
	mkdir -p tests/oddities/seen
	ODDITIES_RECORD=tests/oddities/seen $(BIN)/pytest --numprocesses 2 --dist loadgroup tests/oddities
	$(BIN)/python -m ci.oddities_page

test: lint types lab-cilium ## everything that CI runs: of faults and oddities a slice that the commit chooses
	eval "$$(ci/lab/lab env)"
	$(BIN)/pytest --numprocesses 2 $(OFFLINE)
	SLICE=$${SLICE:-$$(git rev-parse HEAD)} $(BIN)/pytest $(REAL)

faults: venv lab-cilium ## break clusters in all ways that are known, and record which checks see it
	eval "$$(ci/lab/lab env)"
	FAULTS_RECORD=tests/faults/seen $(BIN)/pytest --numprocesses 3 --dist loadgroup tests/faults
	$(BIN)/python -m ci.detection_page

soak: venv lab ## run the suite on healthy clusters again and again, and count false alarms
	eval "$$(ci/lab/lab env)"
	$(BIN)/python -m ci.bench.soak
	$(BIN)/python -m ci.detection_page

bench: venv lab ## measure a run on a ready two-node cluster
	eval "$$(ci/lab/lab env)"
	$(BIN)/python -m ci.bench.bench

loss: venv lab ## how often loss is seen on three nodes: ten runs with 3 %, twenty without
	eval "$$(ci/lab/lab env)"
	$(BIN)/python -m ci.bench.loss

fuzz: venv ## what reads files and peers, given to atheris (pip install atheris)
	$(BIN)/python ci/fuzz.py 60

docs: venv ## write the pages that are made from the code
	$(BIN)/python ci/options_page.py
	$(BIN)/python ci/catalogue_pages.py

site: venv ## the documentation as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --config-file ci/docs/mkdocs.yml

clean: ## remove what is made here (not the lab's cache)
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
