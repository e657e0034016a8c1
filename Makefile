# make demo    install, train the quickstart sweep and write its report (5 to 10 minutes, mostly the download of torch)
# make install install into .venv, without a sweep
# make test    install the development tools and run the fast tests; ARGS="--runslow" runs all of them
# make chaos   kill a sweep with -9 at every point, on SQLite and PostgreSQL, and nodes of a cluster
#              (python -m perf.chaos [--cluster]: at random, for minutes)
# make contract train every method on every stream, scenario and target network: an hour or two
# make check   format, lint, types and fast tests; run it before each commit
# make presets train the smoke variant of every preset, two minutes each on two free cores; needs the images (HNET_DATA)
# make perf    measure training steps and write the tables of docs/performance.md
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
TORCH_CPU := https://download.pytorch.org/whl/cpu
# pip shows its downloads, except in continuous integration
PIP := $(BIN)/pip install $(if $(CI),--quiet) -c constraints.txt

.PHONY: demo install test check contract perf presets chaos clean

demo: .venv/installed
	@mkdir -p demo
	@echo "Training 20 configurations with 3 seeds each: 2 to 4 minutes on 2 cores. The first result comes after half a minute;"
	@echo "Ctrl-C stops, the same command continues."
	$(BIN)/hnet sweep run quickstart --db demo/hnet.db
	@echo "The best trade-offs between accuracy and compression:"
	$(BIN)/hnet study front quickstart --db demo/hnet.db
	@echo "Writing the report: a few seconds."
	$(BIN)/hnet report tradeoff quickstart --db demo/hnet.db -o demo
	@echo "Open demo/tradeoff.html in a browser."

install: .venv/installed
	@echo "Installed. Try: $(BIN)/hnet --help"

test: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --dist worksteal $(ARGS)

check: .venv/installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 $(ARGS)

chaos: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --runslow --chaos tests/sweeps/test_crashes.py tests/sweeps/test_ray.py tests/sweeps/test_watching.py \
		tests/sweeps/test_cluster.py tests/sweeps/test_allocation_on_ray.py

contract: .venv/installed-dev
	$(BIN)/python -m pytest -n 2 --exhaustive tests/hnet_core/test_every_combination.py $(ARGS)

presets: .venv/installed-dev
	$(BIN)/python -m perf.presets $(ARGS)

perf: .venv/installed-dev
	$(BIN)/python -m perf.report

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or later is needed, $(PYTHON) is older; choose another: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@echo "Creating the environment .venv: a few seconds."
	@$(PYTHON) -m venv .venv
	@touch $@

# On Linux the default index has torch with CUDA, several GB. Without an NVIDIA GPU, PyTorch's CPU index is tried first.
.venv/torch: .venv/python constraints.txt
	@if [ -n "$(CI)" ] || [ "$$(uname)" != Linux ] || command -v nvidia-smi >/dev/null || ls /dev/nvidia* >/dev/null 2>&1; then \
	  :; \
	elif timeout 8 $(BIN)/python -c 'import sys, urllib.request; urllib.request.urlopen(sys.argv[1], timeout=5)' \
	    $(TORCH_CPU)/torch/ 2>/dev/null; then \
	  echo "No NVIDIA GPU: installing torch for the CPU, some 200 MB, from $(TORCH_CPU)."; \
	  $(PIP) --no-deps --index-url $(TORCH_CPU) torch torchvision \
	    || echo "That failed; the default package index follows, where torch includes CUDA (several GB)."; \
	else \
	  echo "No NVIDIA GPU, but $(TORCH_CPU) cannot be reached: torch comes from the default package index, with CUDA (several GB)."; \
	fi
	@touch $@

.venv/installed: .venv/torch pyproject.toml constraints.txt
	@echo "Installing hnet and the packages it needs into .venv: 1 to 5 minutes, depending on the network."
	@$(PIP) -e '.[serve]'
	@touch $@

.venv/installed-dev: .venv/torch pyproject.toml constraints.txt
	@echo "Installing hnet and its development tools into .venv: 1 to 5 minutes, depending on the network."
	@$(PIP) -e '.[dev]'
	@touch $@ .venv/installed

clean:
	rm -rf .venv demo build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
