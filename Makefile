# People and CI run the same commands. `make help` lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PY := .venv/bin/python
HOME_OF_RUN := $(or $(ZHIKE_HOME),.zhike)
SYSTEM_PYTHON ?= python3
# Compiled modules are kept between runs, whatever the surroundings say: compiling takes as long as starting.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run demo test test-quick storm check fix lock catalogue screenshots browser clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

.venv/ready: requirements/lock.txt pyproject.toml
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed") if sys.version_info < (3, 11) else None'
	@test -x $(PY) || $(SYSTEM_PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/lock.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

zhike/ui/static/vendor/ready: package-lock.json tools/frontend.py .venv/ready
	$(PY) tools/frontend.py
	@touch $@

zhike/locale/ready: .venv/ready $(wildcard zhike/locale/*/LC_MESSAGES/django.po)
	$(PY) tools/catalogue.py compile
	@touch $@

setup: .venv/ready zhike/ui/static/vendor/ready zhike/locale/ready ## prepare .venv with .venv/bin/zhike and the front-end files

run: setup ## set everything up, fill an empty data folder with the demo company, and serve
	@{ test -z "$$DATABASE_URL" && test -e "$(HOME_OF_RUN)/demo/complete"; } || .venv/bin/zhike demo --if-empty
	@exec .venv/bin/zhike run

demo: setup ## fill an empty data folder with the demo company
	.venv/bin/zhike demo

browser: ## install what browser tests need (Debian, as root)
	@bash tools/browser.sh

check: setup ## everything that needs no test run
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) tools/rules.py
	.venv/bin/lint-imports --no-cache
	$(PY) tools/shape.py
	$(PY) -m mypy
	$(PY) tools/catalogue.py check

fix: setup ## format, and mend what can be mended by itself
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

test: setup browser check ## everything: checks, tests, browser stories
	$(PY) -m pytest -n 2 --dist loadgroup

test-quick: setup ## the tests without browser and slow ones
	$(PY) -m pytest -n 2 --dist loadgroup -m "not browser and not slow"

storm: setup ## kill processes and PostgreSQL, fill disks, in full: hours; one with STORMS="T02" SEED=7
	$(PY) -m tests.storms $(or $(STORMS),all) --full --record --seed $(or $(SEED),1)

catalogue: setup ## write the translation catalogue anew from the sources
	$(PY) tools/catalogue.py update

screenshots: setup browser ## take the README's screenshots
	$(PY) -m pytest tests/stories/test_looks.py --pictures

lock: ## resolve the dependencies anew
	$(PY) -m pip install --quiet uv
	.venv/bin/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--no-emit-index-url --group dev pyproject.toml --output-file requirements/lock.txt

clean: ## remove what set-up made (not the data folder)
	rm -rf .venv node_modules zhike/ui/static/vendor .cache
