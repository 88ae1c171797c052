# Two commands do everything: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
ifeq ($(OS),Windows_NT)
BIN := $(VENV)/Scripts
else
BIN := $(VENV)/bin
endif
PORT ?= 8501
STAMP := $(VENV)/.installed
DEV_STAMP := $(VENV)/.installed-dev

# Compiled modules make every start several times faster; some systems switch them off.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test torture check lint bench audit guide requirements browser clean

help:
	@echo "make demo   set up, build the demo study, run the pipeline on it, open the dashboard"
	@echo "make test   set up and run every test"
	@echo "make setup  set up only (.venv)"
	@echo "make check  format, lint, types, import contracts, tests"
	@echo "make torture  faults, hostile files and crowds on purpose, counted (up to 20 minutes)"
	@echo "make bench  benchmarks at a small size"
	@echo "make audit  known weaknesses and licences of all packages (asks the package index)"
	@echo "make guide  make the pictures of the guide again, from the demo study"

setup: $(STAMP)

$(STAMP): requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/python -m uv pip install --quiet --python $(VENV) --require-hashes -r requirements.txt
	$(BIN)/python -m uv pip install --quiet --python $(VENV) --no-deps -e .
	$(BIN)/python -c "import pathlib; pathlib.Path('$(STAMP)').touch()"

$(DEV_STAMP): $(STAMP) requirements-dev.txt
	$(BIN)/python -m uv pip install --quiet --python $(VENV) --require-hashes -r requirements-dev.txt
	$(BIN)/python -c "import pathlib; pathlib.Path('$(DEV_STAMP)').touch()"

demo: setup
	$(BIN)/python -m pipeline demo demo-study --port $(PORT)

# Nothing may be asked of another computer: where the system allows it, none can be reached.
ALONE := $(BIN)/python -m tests.without_network
# A browser, a server and a test share two processors: what fails there is tried once more, and the
# closing lines name it as RERUN.
ONCE_MORE := --reruns 1 --reruns-delay 5 -raR
test: $(DEV_STAMP) browser
	$(ALONE) $(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/browser
	$(ALONE) $(BIN)/python -m pytest -n 2 --dist loadfile $(ONCE_MORE) tests/browser

# Up to MINUTES minutes; STUDY is a demo study with a store, made where it is not there yet.
MINUTES ?= 20
STUDY ?= demo-study
torture: $(DEV_STAMP)
	test -e $(STUDY)/derived/stores/current || $(BIN)/python -m pipeline demo $(STUDY) --no-serve
	$(ALONE) $(BIN)/python -m tests.torture --minutes $(MINUTES) --study $(STUDY)

# The browser tests need Chromium; where it cannot be installed they are skipped and say so.
browser:
	@command -v chromium >/dev/null 2>&1 || command -v chromium-browser >/dev/null 2>&1 \
	|| command -v google-chrome >/dev/null 2>&1 \
	|| { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 \
	     && echo "Installing Chromium for the browser tests" \
	     && apt-get update -qq >/dev/null 2>&1 \
	     && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null 2>&1; } \
	|| echo "No Chromium found: the browser tests will be skipped"

lint: $(DEV_STAMP)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test

bench: $(DEV_STAMP)
	$(BIN)/python -m benchmarks

# pip-audit compares the pins with the advisories of the package index, and fails when it cannot ask
# (no network, or a mirror without them). Licences are read from the installed packages.
audit: $(DEV_STAMP)
	$(BIN)/python -m docs.make_licences
	$(BIN)/pip-audit --requirement requirements.txt --require-hashes --disable-pip --strict --progress-spinner off

guide: $(DEV_STAMP) browser
	$(BIN)/python -m pipeline demo demo-study --no-serve
	$(BIN)/python -m docs.guide.make_pictures demo-study

# Pins of the whole tree, with the digest of every file: Linux, macOS and Windows, Python 3.10 to
# 3.13.
COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.10 \
  --no-annotate --no-header --generate-hashes --extra sound --extra sign-in pyproject.toml
requirements:
	$(COMPILE) --extra dev -o requirements-dev.txt
	$(COMPILE) -c requirements-dev.txt -o requirements.txt

clean:
	rm -rf $(VENV) demo-study .mypy_cache .ruff_cache .pytest_cache
