# Every target sets up what it needs; each line can also be typed by hand.
.DEFAULT_GOAL := help
.PHONY: help setup run demo quick test fix docs messages bench pictures lock
PYTHON ?= python3
BIN := .venv/bin

help: ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/runtime: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

.venv/development: requirements-dev.lock .venv/runtime
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/runtime ## Prepare everything: packages, front end
	$(BIN)/python ops/prepare.py

run: setup ## Serve Hedgerow on :8000 and TimeTracker on :8080
	$(BIN)/python ops/run.py

demo: setup ## The same, with a simulated fleet and its users already in
	$(BIN)/python ops/run.py --demo

# Pure rules, no disk and no program behind them: seconds, most of them imports.
QUICK := $(addprefix tests/hedgerow/test_,wire_fields.py wire_encodings.py timestamps.py dates.py \
	settings.py funnel_matching.py charts.py charts_words.py simulate.py enrich.py) \
	$(addprefix tests/app/,test_durations.py test_days.py test_overlaps.py test_rounding.py \
	test_config.py telemetry/test_catalog.py telemetry/test_consent.py)

quick: .venv/development ## Only the fast tests: what you run all day
	$(BIN)/pytest -q -m "not slow and not whole" $(QUICK)

test: .venv/development ## Everything: format, lint, types, layers, all tests
	$(BIN)/python ops/prepare.py --tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n 2 --dist loadfile

fix: .venv/development ## Format, and fix what can be fixed
	-$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: .venv/development ## Rewrite the generated pages (settings, errors, commands, events)
	$(BIN)/python docs/generate.py

messages: .venv/development ## Collect TimeTracker's strings for translators
	$(BIN)/python ops/messages.py

bench: .venv/development ## Measure, as ratios against a rival in the same run
	$(BIN)/python ops/prepare.py --tests
	$(BIN)/python bench/run.py

pictures: .venv/development ## Take the pictures of README and docs from the running programs
	$(BIN)/python ops/prepare.py --tests
	$(BIN)/python ops/pictures.py

lock: .venv/development ## Pin the newest allowed versions again, with hashes
	$(BIN)/python -m uv pip compile pyproject.toml --all-extras --generate-hashes --universal --python-version 3.11 --no-annotate --no-header -o requirements.lock
	$(BIN)/python -m uv pip compile pyproject.toml --all-extras --group dev -c requirements.lock --generate-hashes --universal --python-version 3.11 --no-annotate --no-header -o requirements-dev.lock
