# make run      set up (once) and start the agent; ARGS="--port 9000" are passed on
# make setup    the set-up of `make run` alone
# make test     set up everything, then check format, lint and types and run all tests
# make format   bring the code into shape
# make bench    run the benchmarks, or some: make bench BENCHMARKS="latency loop"
# make docs     write docs/configuration.md out of the code
# PYTHON=…      another interpreter than python3 (3.11 or newer)
# TORCH=…       other versions or builds of torch, torchaudio and torchcodec for the tests

SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCHMARKS ?= thinking memory speaking paralinguistics recognition endpointing loop latency bargein endurance
TORCH ?= torch==2.13.0 torchaudio==2.11.0 torchcodec==0.13.0
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet --no-input

.DEFAULT_GOAL := run
.PHONY: run setup test format bench docs

run: setup
	@exec $(BIN)/voice-agent serve $(ARGS)

setup: $(VENV)/.base

# Each stamp is newer than pyproject.toml, so that nothing is done twice.
$(VENV)/.base: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "Python 3.11 or newer is needed; '$(PYTHON)' is $$($(PYTHON) --version 2>&1 || true)." \
	    "Name another with: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  { echo "Python's venv is missing. On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing the agent into $(VENV) (a minute or two the first time)…"
	@$(PIP) install --editable .
	@touch $@

# The group is read by Python, since only pip 25.1 and later know of groups.
$(VENV)/.dev: $(VENV)/.base
	@echo "Installing what the tests need…"
	@$(BIN)/python -c 'import torch, importlib.util as u; assert u.find_spec("torchcodec")' 2>/dev/null || $(PIP) install $(TORCH)
	@$(PIP) install --editable '.[train,neural]'
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' > $(VENV)/dev.txt
	@$(PIP) install --requirement $(VENV)/dev.txt
	@touch $@

test: $(VENV)/.dev
	@.ci/system-packages
	@PATH="$(CURDIR)/$(BIN):$$PATH" .ci/checks $(ARGS)

format: $(VENV)/.dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(VENV)/.dev
	@for name in $(BENCHMARKS); do \
	  echo "== $$name"; $(BIN)/python benchmarks/$$name.py $(ARGS) < /dev/null || exit 1; \
	done

docs: $(VENV)/.base
	@$(BIN)/voice-agent config --reference > docs/configuration.md
