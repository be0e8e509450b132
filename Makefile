# The commands of this project; `make help` lists them.
PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin
PIP := $(if $(shell command -v uv 2>/dev/null),uv pip install --compile-bytecode --python $(RUN)/python,$(RUN)/python -m pip install --disable-pip-version-check)
COMPILE = $(VENV)/locking/bin/uv pip compile pyproject.toml --universal --generate-hashes --no-header --no-annotate --quiet $(ARGS)

.DEFAULT_GOAL := help
.PHONY: help up down status check format test replay lock proto clean

help: ## List the commands
	@$(PYTHON) -c 'import re; text = open("$(firstword $(MAKEFILE_LIST))").read(); \
	  print(*("  make %-8s %s" % row for row in re.findall(r"^([a-z]+):.*?## (.+)", text, re.M)), sep="\n")'

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

replay: $(VENV)/installed-dev ## Buy all 69,659 orders of CDNOW in a shop of their own, with kills (ARGS="--orders 5000")
	@$(PIP) --quiet --no-deps --require-hashes --target $(VENV)/replay -r tests/replay/requirements.lock
	@PYTHONPATH=tests $(RUN)/python -m replay $(VENV)/replay/lifetimes/datasets/CDNOW_master.txt $(ARGS)

lock: $(VENV)/made ## Pin the dependencies again, with hashes (ARGS=--upgrade for the newest)
	@$(RUN)/python -m venv --clear $(VENV)/locking
	@$(VENV)/locking/bin/python -m pip install --disable-pip-version-check --quiet uv
	$(COMPILE) --extra all --extra build -o requirements.lock
	$(COMPILE) --extra all --extra build --extra dev -o requirements-dev.lock
	@rm -rf $(VENV)/locking

proto: $(VENV)/installed-dev ## Generate the messages of payments' gRPC contract
	$(RUN)/python -m grpc_tools.protoc -I src --python_out=src --pyi_out=src src/shopwright/contracts/payments.proto

clean: down ## Remove the environment (not the data)
	rm -rf $(VENV)

# A stamp and not the interpreter: what was interrupted halfway is made again.
$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Shopwright needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 up"; exit 1; }
	@echo "Making the environment in $(VENV) …"
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/installed: $(VENV)/made requirements.lock pyproject.toml
	@echo "Installing what Shopwright needs …"
	@$(PIP) --quiet --require-hashes -r requirements.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@$(RUN)/python -m compileall -q src/shopwright
	@touch $@

$(VENV)/installed-dev: $(VENV)/made requirements-dev.lock pyproject.toml
	@echo "Installing what its tests need …"
	@$(PIP) --quiet --require-hashes -r requirements-dev.lock
	@$(PIP) --quiet --no-deps --no-build-isolation -e .
	@$(RUN)/python -m compileall -q src/shopwright
	@touch $@ $(VENV)/installed
