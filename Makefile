# The commands of this project; `make help` lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
PIP := $(if $(shell command -v uv 2>/dev/null),uv pip install --python $(RUN)/python,$(RUN)/python -m pip install --disable-pip-version-check)

.DEFAULT_GOAL := help
.PHONY: help up down status check format test lock proto clean

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

up: $(VENV)/installed ## Start the whole platform in the background, wait until it is ready
	@$(RUN)/shopwright up

down: ## Stop everything that `make up` started; data stays
	@if [ -x $(RUN)/shopwright ]; then $(RUN)/shopwright down; else echo "Nothing was installed yet."; fi

status: $(VENV)/installed ## Show each part's state, memory and version
	@$(RUN)/shopwright status

check: $(VENV)/installed-dev ## Lint, types, borders between services, style
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports --no-logo
	$(RUN)/pytest -q tests/tidy

format: $(VENV)/installed-dev ## Format the code
	$(RUN)/ruff check --fix
	$(RUN)/ruff format

test: $(VENV)/installed-dev ## Run all tests, on real servers
	$(RUN)/pytest $(ARGS)

lock: $(VENV)/installed-dev ## Pin the dependencies again, with hashes (needs uv)
	uv pip compile pyproject.toml --extra all --extra build --universal --generate-hashes --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --extra all --extra build --extra dev --universal --generate-hashes --no-header --no-annotate -o requirements-dev.lock

proto: $(VENV)/installed-dev ## Generate the messages of payments' gRPC contract
	$(RUN)/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/shopwright/contracts/payments.proto

clean: down ## Remove the environment (not the data)
	rm -rf $(VENV)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Shopwright needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 up"; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python requirements.lock pyproject.toml
	@echo "Installing what Shopwright needs …"
	@$(PIP) --quiet --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/installed-dev: $(VENV)/bin/python requirements-dev.lock pyproject.toml
	@echo "Installing what its tests need …"
	@$(PIP) --quiet --require-hashes -r requirements-dev.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/installed
