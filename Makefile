# Every target makes the environment it needs in .venv, from any python3 >= 3.11, and only when something changed.
#   make demo    AlexNet on 64 multipliers: mapping, estimate and simulated cycles of every layer
#   make test    all tests on every core
#   make check   format, lint, types, import contracts
#   make bench   the short benchmarks (NAMES="memory growth": only those)
#   make docs    the documentation site, into build/docs
#   make lab     search techniques compared: every experiment of benchmarks/MSE.md, resumable
#   make lab-cut a little of each of them, nothing kept
#   make clean   remove what was built or cached (make distclean also removes .venv)

PYTHON ?=
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := help
.PHONY: help demo test check bench docs lab lab-cut clean distclean

help:
	@sed -n 's/^#   //p' Makefile

demo: $(RUNTIME)
	@$(BIN)/maerisim validate configs/hardware/maeri-64.yaml configs/networks/alexnet.yaml

test: $(DEV)
	@$(BIN)/maerisim warmup
	@$(BIN)/python -m pytest -q -n auto --dist worksteal

check: $(DEV)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(DEV)
	@$(BIN)/python benchmarks/run.py $(NAMES)

docs: $(DEV)
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q -f maerisim/docs/mkdocs.yml
	@echo "build/docs/index.html"

lab: $(DEV)
	@$(BIN)/python benchmarks/lab.py

lab-cut: $(DEV)
	@$(BIN)/python benchmarks/lab.py --cut > /dev/null

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage
	find maerisim mapper tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean
	rm -rf $(VENV)

$(RUNTIME): pyproject.toml | $(BIN)/python
	@echo "installing maerisim into $(VENV) ..."
	@$(PIP) -e .
	@touch $@

$(DEV): pyproject.toml | $(BIN)/python
	@echo "installing maerisim and its development tools into $(VENV) ..."
	@$(PIP) -e '.[dev]'
	@touch $(RUNTIME) $@

$(BIN)/python:
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "maerisim needs Python 3.11 or newer, found: $$(python3 --version 2>/dev/null || echo 'no python3')." >&2; \
	echo "Install one, or name it: make PYTHON=/path/to/python3.11 ..." >&2; \
	exit 1
