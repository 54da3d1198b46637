# Everything a person or a machine does with this checkout. `make` alone lists it.
# With uv on the PATH it is used; without it, Python's own venv and pip do the same.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
ENGINES := $(VENV)/.engines
UV := $(shell command -v uv 2>/dev/null)
CODE := src tests $(wildcard benchmarks docs)
NOTEBOOKS := $(wildcard notebooks/*.ipynb)
STRIP := $(BIN)/nbstripout --keep-id --extra-keys "metadata.language_info"

.DEFAULT_GOAL := help
# Commands and tests start many processes, and each would compile the package anew.
unexport PYTHONDONTWRITEBYTECODE
DOCS := $(VENV)/.docs
.PHONY: help refresh test test-engines check lint docs pictures wheel lab clean format soak golden measure compare test-airflow interchange constraints

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

refresh: $(INSTALLED)  ## execute every report and publish its pages to out/ (options: ARGS="--jobs 2")
	@$(BIN)/dataops-nb refresh $(ARGS)

test: $(INSTALLED)  ## the tests, in under three minutes
	@$(BIN)/python -m pytest $(ARGS)

test-engines: $(ENGINES)  ## the same numbers on DuckDB, SQLite, PostgreSQL and Spark (needs postgresql and Java 17)
	@$(BIN)/python -m pytest -m engines $(ARGS)

check: lint $(ENGINES)  ## lint, then the tests with a browser, faults, other engines, and those that take long
	@# A browser, a kernel or a clock on a busy machine may be late once; what fails is tried once more, and told.
	@code=0; $(BIN)/python -m pytest -raR --reruns 1 --durations 25 --durations-min 4 -m "(browser or faults or engines or long) and not slow" $(ARGS) || code=$$?; \
	if [ $$code -eq 5 ]; then echo "No test is marked browser, faults, engines or long: nothing was run."; code=0; fi; \
	exit $$code

lint: $(INSTALLED)  ## ruff, stripped notebooks, types, layers
	$(BIN)/ruff check $(CODE) notebooks
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff format --check --line-length 120 notebooks
	$(if $(NOTEBOOKS),$(STRIP) --verify $(NOTEBOOKS))
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(DOCS)  ## the documentation site with reference and gallery, in build/site, read in Chromium (ARGS="--without-gallery")
	@$(BIN)/python docs/build.py $(ARGS)
	@$(BIN)/python -m pytest -q -n0 -m browser tests/browser/test_documentation.py

pictures: $(INSTALLED)  ## take the README's pictures anew (needs Chromium)
	@DATAOPS_PICTURES=write $(BIN)/python -m pytest -q -m browser tests/browser/test_pictures.py

wheel:  ## build, check, install in an empty environment, run the main job (PYTHON=python3.13)
	rm -rf dist build/tools build/empty
	$(PYTHON) -m venv build/tools
	build/tools/bin/python -m pip install --quiet --disable-pip-version-check build twine
	build/tools/bin/python -m build --outdir dist
	build/tools/bin/python -m twine check --strict dist/*
	$(PYTHON) -m venv build/empty
	build/empty/bin/python -m pip install --quiet --disable-pip-version-check dist/*.whl -c constraints.txt
	build/empty/bin/dataops-nb --quiet init build/empty/company
	build/empty/bin/dataops-nb -w build/empty/company check
	build/empty/bin/dataops-nb -w build/empty/company refresh

lab: $(INSTALLED)  ## JupyterLab, at the first notebook
	@$(BIN)/dataops-nb lab $(ARGS)

clean:  ## remove caches and built packages; .venv, data and out stay
	rm -rf build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests notebooks -name __pycache__ -type d -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -type d -prune -exec rm -rf {} +

format: $(INSTALLED)  ## put the code and the notebooks into their agreed form
	$(BIN)/ruff check --fix $(CODE) notebooks
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff format --line-length 120 notebooks  # a cell has twelve lines, and they may be wide
	$(if $(NOTEBOOKS),$(STRIP) $(NOTEBOOKS))

soak: $(INSTALLED)  ## the long runs, and many times as many examples of each law
	@$(BIN)/python -m pytest --hypothesis-profile soak -m "not browser and not faults and not engines and not slow" $(ARGS)
	@code=0; $(BIN)/python -m pytest -m slow $(ARGS) || code=$$?; \
	if [ $$code -eq 5 ]; then echo "No test is marked slow: nothing was run."; code=0; fi; \
	exit $$code

golden: $(INSTALLED)  ## what users would see differently since BEFORE=<commit> (options: ARGS="--quick")
	@$(BIN)/python benchmarks/golden.py $(BEFORE) $(ARGS)

measure: $(INSTALLED)  ## how the code reads; beside BEFORE=<commit> where it is given
	@$(BIN)/python benchmarks/measure.py $(if $(BEFORE),--before $(BEFORE)) $(ARGS)

compare: $(INSTALLED)  ## a benchmark on BEFORE=<commit> and here, in turns (ARGS="judging --turns 1")
	@$(BIN)/python benchmarks/compare.py $(BEFORE) $(ARGS)

test-airflow: $(INSTALLED)  ## whether Airflow reads the printed DAG, in an environment of its own (not in CI)
	$(PYTHON) -m venv build/airflow
	build/airflow/bin/python -m pip install --quiet --disable-pip-version-check apache-airflow apache-airflow-providers-standard
	mkdir -p build/airflow/dags
	$(BIN)/dataops-nb schedule weekly --format airflow > build/airflow/dags/dataops_nb_weekly.py
	AIRFLOW_HOME=$(CURDIR)/build/airflow/home build/airflow/bin/python tests/schedulers/airflow_imports.py build/airflow/dags

interchange: $(INSTALLED)  ## the imported metrics beside MetricFlow's own answers, in an environment of its own (not in CI)
	$(PYTHON) -m venv build/metricflow
	build/metricflow/bin/python -m pip install --quiet --disable-pip-version-check dbt-core==1.11.16 dbt-duckdb==1.11.1 \
		metricflow==0.213.0 dbt-metricflow==0.15.0 duckdb==2.0.1 python-dotenv
	build/metricflow/bin/python -m pip install --quiet --disable-pip-version-check --no-deps dbt-core==1.12.6  # its parser is not on every index
	for spec in legacy latest; do \
		build/metricflow/bin/python tests/interchange/ask_metricflow.py tests/interchange/projects/$$spec \
			tests/interchange/projects/seeds build/metricflow/projects/$$spec || exit 1; \
	done
	@$(BIN)/python -m pytest -n0 -q -s -m "" tests/interchange/test_dbt.py $(ARGS)

constraints:  ## resolve all dependencies anew into constraints.txt (with the oldest Python at hand)
	rm -rf build/fresh
	$(PYTHON) -m venv build/fresh
	build/fresh/bin/python -m pip install --quiet -e '.[test,dev,spark,docs]'
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

$(DOCS): $(INSTALLED)
ifneq ($(UV),)
	$(UV) pip install --quiet --python $(BIN)/python -e '.[docs]' -c constraints.txt
else
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[docs]' -c constraints.txt
endif
	@touch $@
