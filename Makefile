# Two commands are all anyone must remember: `make sweep` and `make test`. Both work on a fresh checkout.

VENV ?= .venv
PYTHON ?= python3
READY := $(VENV)/.ready
READY_CLUSTER := $(VENV)/.ready-cluster

.PHONY: sweep test test-fast test-cluster check bench calibration clean
.DEFAULT_GOAL := help

help:
	@echo "make sweep   run sweeps/rank.yaml and print its table"
	@echo "make test    every test"
	@echo "make test-cluster   several hosts on this machine, as root: faults, ray up, images, object storage"
	@echo "make check   ruff, types, floors"
	@echo "make bench   the benchmarks, as ratios"
	@echo "make calibration   how often the statistics are wrong, by simulation"

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("tcray needs Python 3.11 or newer, and $(PYTHON) is " + sys.version.split()[0] + "; say make PYTHON=python3.11") if sys.version_info < (3, 11) else 0'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt torch
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	touch $@

$(READY_CLUSTER): $(READY)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[cluster]' --group cluster
	touch $@

sweep: $(READY)
	$(VENV)/bin/tcray sweep sweeps/rank.yaml

test: $(READY)
	$(VENV)/bin/python -m pytest

test-fast: $(READY)
	$(VENV)/bin/python -m pytest -m "not slow"

test-cluster: $(READY_CLUSTER)
	TCRAY_TEST_CLUSTER=1 $(VENV)/bin/python -m pytest tests/cluster

check: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(READY)
	$(VENV)/bin/python -m tests.benchmarks.throughput
	$(VENV)/bin/python -m tests.benchmarks.bookkeeping

calibration: $(READY)
	$(VENV)/bin/python -m tests.benchmarks.calibration

clean:
	rm -rf $(VENV)
