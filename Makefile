# Everything a person or a machine does with this checkout. `make` alone lists it.
# With uv on the PATH it is used; without it, Python's own venv and pip do the same.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ENGINES := $(VENV)/.engines
UV := $(shell command -v uv 2>/dev/null)
CODE := src tests $(wildcard notebooks benchmarks)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
STRIP := $(BIN)/nbstripout --keep-id --extra-keys "metadata.language_info"

.DEFAULT_GOAL := help
# Commands and tests start many processes, and each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help refresh test test-engines check lint lab clean format soak test-airflow constraints

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

refresh: $(INSTALLED)  ## execute every report and publish its pages to out/ (options: ARGS="--jobs 2")
	@$(BIN)/dataops-nb refresh $(ARGS)

test: $(INSTALLED)  ## the tests, in under three minutes
	@$(BIN)/python -m pytest $(ARGS)

test-engines: $(ENGINES)  ## the same numbers on DuckDB, SQLite, PostgreSQL and Spark (needs postgresql and Java 17)
	@$(BIN)/python -m pytest -m engines $(ARGS)

check: lint $(ENGINES)  ## lint, then the tests that need a browser, inject faults or need another engine
	@code=0; $(BIN)/python -m pytest -m "browser or faults or engines" $(ARGS) || code=$$?; \
	if [ $$code -eq 5 ]; then echo "No test is marked browser, faults or engines: nothing was run."; code=0; fi; \
	exit $$code

lint: $(INSTALLED)  ## ruff, stripped notebooks, types, layers
	$(BIN)/ruff check $(CODE)
	$(BIN)/ruff format --check $(CODE)
	$(if $(NOTEBOOKS),$(STRIP) --verify $(NOTEBOOKS))
	$(BIN)/mypy
	$(BIN)/lint-imports

lab: $(INSTALLED)  ## JupyterLab, at the first notebook
	@$(BIN)/dataops-nb lab $(ARGS)

clean:  ## remove caches and built packages; .venv, data and out stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

format: $(INSTALLED)  ## put the code and the notebooks into their agreed form
	$(BIN)/ruff check --fix $(CODE)
	$(BIN)/ruff format $(CODE)
	$(if $(NOTEBOOKS),$(STRIP) $(NOTEBOOKS))

soak: $(INSTALLED)  ## the long runs
	@code=0; $(BIN)/python -m pytest -m slow $(ARGS) || code=$$?; \
	if [ $$code -eq 5 ]; then echo "No test is marked slow: nothing was run."; code=0; fi; \
	exit $$code

test-airflow: $(INSTALLED)  ## whether Airflow reads the printed DAG, in an environment of its own (not in CI)
	$(PYTHON) -m venv build/airflow
	build/airflow/bin/python -m pip install --quiet --disable-pip-version-check apache-airflow apache-airflow-providers-standard
	mkdir -p build/airflow/dags
	$(BIN)/dataops-nb schedule weekly --format airflow > build/airflow/dags/dataops_nb_weekly.py
	AIRFLOW_HOME=$(CURDIR)/build/airflow/home build/airflow/bin/python tests/schedulers/airflow_imports.py build/airflow/dags

constraints:  ## resolve all dependencies anew into constraints.txt (with the oldest Python at hand)
	rm -rf build/fresh
	$(PYTHON) -m venv build/fresh
	build/fresh/bin/python -m pip install --quiet -e '.[test,dev,spark]'
	build/fresh/bin/python -m pip list --format=freeze --exclude-editable --exclude pip --exclude setuptools > constraints.txt
	rm -rf build/fresh

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.12" if sys.version_info < (3, 11) else 0)'
ifneq ($(UV),)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) $(VENV)
	$(UV) pip install --quiet --python $(BIN)/python -e '.[test,dev]' -c constraints.txt
else
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,dev]' -c constraints.txt
endif
	@touch $@

$(ENGINES): $(INSTALLED)
ifneq ($(UV),)
	$(UV) pip install --quiet --python $(BIN)/python -e '.[dask,spark]' -c constraints.txt
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dask,spark]' -c constraints.txt
endif
	@touch $@
