# `make report` and `make test` are all that a newcomer needs; everything is built in .venv.

# The first Python that is 3.11 or later; a name on the path may be a shim for a version that isn't there.
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
  $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)
VENV   := .venv
BIN    := $(VENV)/bin
WORKERS ?= 2
PROJECT ?= data/propertypro

.DEFAULT_GOAL := help
.PHONY: help report test test-all lint format docs bench lab wheel chromium clean

help:  ## Show these targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

# The environment is complete when the stamp is newer than what it is made from.
$(VENV)/.complete: pyproject.toml constraints.txt
	@if command -v uv >/dev/null 2>&1; then \
	  uv venv --quiet --seed --allow-existing --python '>=3.11' $(VENV) && \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.[test,lint,slides]'; \
	else \
	  test -n "$(PYTHON)" || { echo "auditlib needs Python 3.11 or later: make PYTHON=/path/to/python3.11" >&2; exit 1; }; \
	  $(PYTHON) -m venv $(VENV) && \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test,lint,slides]'; \
	fi
	@touch $@

report: $(VENV)/.complete  ## Write the report on PROJECT (the shipped example) to build/report/index.html
	$(BIN)/auditlib report $(PROJECT) -o build/report

test: $(VENV)/.complete chromium  ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal -m "not exhaustive"

test-all: $(VENV)/.complete chromium  ## Run the tests, the exhaustive ones included
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

lint: $(VENV)/.complete  ## Check style, types and the floors of the design
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.complete  ## Bring the code into its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.complete  ## Generate docs/rules.md and docs/tables.md
	$(BIN)/python docs/generate.py

bench: $(VENV)/.complete  ## Run the benchmarks; they print ratios
	$(BIN)/python -m benchmarks

lab: $(VENV)/.complete  ## Open the workbook in JupyterLab
	$(BIN)/auditlib lab $(PROJECT)

wheel: $(VENV)/.complete  ## Build the wheel
	$(BIN)/python -m build --wheel --outdir dist .

# The browser tests want a real Chromium; where apt can bring one, it does.
chromium:
	@command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 || \
	  { command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] && \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
	  echo "no Chromium: the browser tests will be skipped (apt-get install chromium)"

clean:  ## Remove everything that was built
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
