# mekong: `make run` runs the main job on the samples, `make test` checks everything. Both make what they need.
.DELETE_ON_ERROR:
.PHONY: run test coverage kill fuzz lint check lock clean help

# Hundreds of processes start in the tests: the sources are compiled once, whatever the shell says.
export PYTHONDONTWRITEBYTECODE :=

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
INSTALL := $(PIP) install --no-deps --require-hashes
PYTEST := $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile
N ?= 500
MODELS := qwen2.5-coder-1.5b use-multilingual-v3

help: ## Say what there is to make.
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

run: $(VENV)/.embedded ## Translate, align, score and report the sample articles.
	@for model in $(MODELS); do $(BIN)/mekong models add $$model || exit; done
	$(BIN)/mekong run configs/quickstart.yaml
	@$(BIN)/python scripts/show_pairs.py out/quickstart

test: $(VENV)/.dev ## Lint, types and tests.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST)

coverage: $(VENV)/.dev ## The tests, and the lines that none of them comes to; takes a third longer.
	$(PYTEST) --cov pipeline --cov-report term:skip-covered

kill: $(VENV)/.dev ## Kill N runs (500) at random moments and compare what they leave.
	$(BIN)/python -m tests.kill --kills $(N)

MINUTES ?= 10
fuzz: $(VENV)/.dev ## Feed broken files to every reader, for MINUTES=10; what is found is kept in out/fuzz.
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES)

lock: ## Make the lock files anew (needs uv).
	$(PYTHON) scripts/lock.py

clean: ## Remove the environment and all output.
	rm -rf $(VENV) out

$(VENV)/.base: requirements.lock requirements-cuda.lock pyproject.toml
	@echo "making the environment in $(VENV) (the first time this downloads some gigabytes)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "mekong needs Python 3.11 or newer")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.lock
	@# The CUDA build of torch asks for CUDA libraries, the CPU build does not.
	@if $(BIN)/python scripts/needs_cuda.py; then $(INSTALL) -r requirements-cuda.lock; fi
	$(PIP) install --no-deps --no-build-isolation --editable .
	$(PIP) check
	touch $@

$(VENV)/.embedded: $(VENV)/.base requirements-embedded.lock
	$(INSTALL) -r requirements-embedded.lock
	touch $@

$(VENV)/.dev: $(VENV)/.base requirements-dev.lock
	$(INSTALL) -r requirements-dev.lock
	touch $@
