# Everything a contributor needs. `make` alone tells what there is.
PYTHON ?= python3.11
BIN := .venv/bin
# Some containers set this; everything would then be compiled again at each start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test check bench clean format

help:
	@echo "make setup   build .venv (again: only what changed)"
	@echo "make demo    publish a real image sequence from end to end (KEEP=1 leaves the server running)"
	@echo "make check   format, lint, types, import rules, fast tests: before every commit"
	@echo "make test    every test, with real servers and real kills"
	@echo "make bench   measure, beside what is used otherwise (ARGS='--only loads --loads SMALL'; ARGS=--help)"
	@echo "make format  put the code into its one form"

setup: .venv/.ready

.venv/.ready: pyproject.toml setup.py src/stagedoor/_bulk.c constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[server,postgresql]' --group dev
	$(BIN)/pip install --quiet --constraint constraints.txt --no-deps --group judge
	touch $@

demo: setup
	$(BIN)/python scripts/demo.py $(if $(KEEP),--keep)

check: setup
	$(BIN)/ruff format --check --quiet src tests scripts examples bench
	$(BIN)/ruff check --quiet src tests scripts examples bench
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	sh scripts/check-pages.sh
	$(BIN)/pytest tests/unit -n 2

test: setup
	sh scripts/system-packages.sh
	sh scripts/bench-packages.sh nginx curl ip gcc nsenter sysctl
	sh scripts/browser-packages.sh
	$(BIN)/pytest tests/unit -n 2 --hypothesis-profile=thorough
	EVERY_TEST=1 $(BIN)/pytest tests/server tests/crash tests/browser -n 3 --dist worksteal

bench: setup
	-sh scripts/bench-packages.sh
	$(BIN)/python -m bench $(ARGS)

format: setup
	$(BIN)/ruff format src tests scripts examples bench
	$(BIN)/ruff check --fix src tests scripts examples bench

clean:
	rm -rf .venv .demo .bench .browser build src/*.egg-info src/stagedoor/_bulk.*.so
