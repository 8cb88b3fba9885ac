# Two commands are all that anyone must remember: `make sweep` and `make test`. Both work on a fresh checkout.

VENV ?= .venv
PYTHON ?= python3
READY := $(VENV)/.ready
READY_CLUSTER := $(VENV)/.ready-cluster
READY_DOCS := $(VENV)/.ready-docs
READY_RELEASE := $(VENV)/.ready-release
INSTALL := $(VENV)/bin/python -m pip install --quiet --constraint constraints.txt

.PHONY: help sweep test test-fast test-cluster check docs build bench calibration clean
.DEFAULT_GOAL := help

help:
	@echo "make sweep         run sweeps/rank.yaml and print its results"
	@echo "make test          run every test (under 15 minutes on two cores)"
	@echo "make test-fast     run the tests that take under a few seconds each (under 2 minutes)"
	@echo "make test-cluster  run the multi-host tests, as root: faults, ray up, images, object storage"
	@echo "make check         ruff, types, import contracts"
	@echo "make docs          build the documentation into docs/_build/html"
	@echo "make build         build wheel and sdist into dist/"
	@echo "make bench         run the benchmarks, as ratios"
	@echo "make calibration   measure the statistics' error rates by simulation"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("tcray needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; run make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) --upgrade pip
	$(INSTALL) torch
	$(INSTALL) --editable . --group dev
	touch $@

$(READY_CLUSTER): $(READY)
	$(INSTALL) --editable '.[cluster]' --group cluster
	touch $@

$(READY_DOCS): $(READY)
	$(INSTALL) --group docs
	touch $@

$(READY_RELEASE): $(READY)
	$(INSTALL) --group release
	touch $@

sweep: $(READY)
	$(VENV)/bin/tcray sweep sweeps/rank.yaml

test: $(READY)
	$(VENV)/bin/python -m pytest

test-fast: $(READY)
	$(VENV)/bin/python -m pytest -m "not slow" --numprocesses auto

test-cluster: $(READY_CLUSTER)
	TCRAY_TEST_CLUSTER=1 $(VENV)/bin/python -m pytest tests/multihost

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

docs: $(READY_DOCS)
	rm -rf docs/_build
	$(VENV)/bin/python -m sphinx --fail-on-warning --keep-going --quiet -b html docs docs/_build/html

build: $(READY_RELEASE)
	rm -rf dist
	$(VENV)/bin/python -m build --quiet
	$(VENV)/bin/python -m twine check --strict dist/*

bench: $(READY)
	$(VENV)/bin/python -m tests.benchmarks.throughput
	$(VENV)/bin/python -m tests.benchmarks.bookkeeping

calibration: $(READY)
	$(VENV)/bin/python -m tests.benchmarks.calibration

clean:
	rm -rf $(VENV)
