# Every verb does its own set-up, into .venv, and only when pyproject.toml changed.

PYTHON ?= python3
ARGS ?=

# The published versions of the official client that the tests drive, each in a venv of its own.
LYCEUM_CLI_VERSIONS := 1.2.2 1.1.7 1.0.52
CLIENTS := $(LYCEUM_CLI_VERSIONS:%=.venv-clients/lyceum-cli-%/.installed)

# The proxy that holds clients and answers against the contract in the tests, where it is installed.
PRISM_VERSION := 5.16.0
PIP_INSTALL := -m pip install --quiet --quiet --disable-pip-version-check
NEEDS_PYTHON = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
  "This needs Python 3.11 or newer, and '$(PYTHON)' is not; name one: make PYTHON=python3.12 ..." >&2; exit 1; }

.PHONY: help serve test check bench pictures clients prism clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 10

serve: .venv/.serving ## run the emulator; ARGS="--port 9000 --clock manual" are handed on
	@exec .venv/bin/lyceum-emulator serve $(ARGS)

test: .venv/.installed $(CLIENTS) ## run the tests; ARGS="-k abort" are handed to pytest
	@.venv/bin/pytest -n 2 $(ARGS)

check: .venv/.installed ## format, lint, types
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy

bench: .venv/.installed ## measure beside the peers, ten minutes; ARGS="--quick start": one topic, roughly
	@.venv/bin/python -m benchmarks $(ARGS)

pictures: .venv/.installed ## draw the pictures of the README anew
	@.venv/bin/lyceum-emulator scenario plot train-healthy --hardware gpu.h100 -o docs/images/train-healthy.png
	@.venv/bin/lyceum-emulator scenario plot oom --hardware gpu.h100 -o docs/images/oom.png

clients: $(CLIENTS) ## install the real clients that `make test` drives

prism: .prism/$(PRISM_VERSION) ## install the validating proxy that some tests use (needs npm)

clean: ## remove everything that the verbs made
	@rm -rf __pycache__ .venv .venv-clients .prism .benchmarks build dist .hypothesis .mypy_cache .schemathesis .pytest_cache .ruff_cache
	@find emulator tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

.venv/.serving: pyproject.toml
	@$(NEEDS_PYTHON)
	@echo "Setting up .venv: half a minute, once, and again when pyproject.toml changes..."
	@$(PYTHON) -m venv .venv
	@.venv/bin/python $(PIP_INSTALL) --editable .
	@touch $@

.venv/.installed: .venv/.serving
	@echo "Adding what tests and checks need: a minute, once..."
	@.venv/bin/python $(PIP_INSTALL) --editable '.[dev]'
	@touch $@

.venv-clients/lyceum-cli-%/.installed:
	@$(NEEDS_PYTHON)
	@echo "Setting up lyceum-cli $* for the tests (once)..."
	@$(PYTHON) -m venv $(@D)
	@$(@D)/bin/python $(PIP_INSTALL) 'lyceum-cli==$*'
	@touch $@

.prism/$(PRISM_VERSION):
	@echo "Setting up Prism $(PRISM_VERSION) for the tests (once)..."
	@mkdir -p .prism
	@npm install --prefix .prism --no-save --no-audit --no-fund --loglevel=error @stoplight/prism-cli@$(PRISM_VERSION)
	@touch $@
