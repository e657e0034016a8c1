# make demo    install, train the quickstart sweep and write its report (about 10 minutes, mostly the download of torch)
# make test    install the development tools and run the fast tests; ARGS="--runslow" runs all of them
# make chaos   kill a sweep with -9 at every point, on SQLite and PostgreSQL (python -m perf.chaos: at random, for minutes)
# make check   format, lint, types and fast tests; run it before each commit
# make perf    measure training steps and write the tables of docs/performance.md
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: demo install test check perf chaos clean

demo: .venv/installed
	mkdir -p demo
	$(BIN)/hnet sweep run quickstart --db demo/hnet.db
	$(BIN)/hnet study front quickstart --db demo/hnet.db
	$(BIN)/hnet report tradeoff quickstart --db demo/hnet.db -o demo

install: .venv/installed
	@echo "Installed. Try: $(BIN)/hnet --help"

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 $(ARGS)

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 $(ARGS)

chaos: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --runslow --chaos tests/sweeps/test_crashes.py tests/sweeps/test_ray.py tests/sweeps/test_watching.py

perf: .venv/installed-dev
	$(BIN)/python -m perf.report

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed, $(PYTHON) is older; choose another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv .venv
	touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/installed-dev: .venv/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt -e '.[dev]'
	touch $@ .venv/installed

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
