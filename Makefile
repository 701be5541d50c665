# Everything sets itself up: a fresh machine needs python3 (3.11 or newer) and make.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.PHONY: demo test lint bench cascade soak mutants clean
.DEFAULT_GOAL := demo

$(VENV)/.ok: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e ".[test]"
	@touch $@

demo: $(VENV)/.ok
	$(BIN)/ringfence demo $(ARGS)

test: $(VENV)/.ok
	$(BIN)/pytest -q -n 2 $(ARGS)

lint: $(VENV)/.ok
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.ok
	$(BIN)/python -m tests.bench $(ARGS)

# The crash of 2025-10-10 through thin books, second by second, where the recorded bars are at hand.
cascade: $(VENV)/.ok
	$(BIN)/python -m tests.bench.cascade $(ARGS)

# The venue against the naive model, with random seeds: EXAMPLES runs of each kind.
EXAMPLES ?= 500
soak: $(VENV)/.ok
	RINGFENCE_SOAK_EXAMPLES=$(EXAMPLES) $(BIN)/pytest -q tests/properties $(ARGS)

# Planted bugs, one after the other, and which test catches each; about ten minutes. ARGS="--only WORDS" for some of them.
mutants: $(VENV)/.ok
	@$(BIN)/python -m tests.mutants $(ARGS)

clean:
	rm -rf $(VENV) dist build .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage
