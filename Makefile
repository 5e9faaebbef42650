# The verbs of this repository. `make` alone lists them.
# Everything runs through uv, so nothing needs to be activated.

RUN := uv run --no-sync
FOLDERS := src tests tools benchmarks

.DEFAULT_GOAL := help
.PHONY: help install check format test conformance model coverage mutation docs build pins upgrade

help:  ## list the verbs
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1@\2/p' $(MAKEFILE_LIST) | column -t -s @

install:  ## create .venv with everything that the other verbs need
	uv sync --all-extras --group dev

check:  ## style, format, types, layers; changes nothing
	$(RUN) ruff check $(wildcard $(FOLDERS))
	$(RUN) ruff format --check $(wildcard $(FOLDERS))
	$(RUN) mypy $(wildcard $(FOLDERS))
	$(RUN) lint-imports --no-cache

format:  ## mend what ruff can mend
	$(RUN) ruff check --fix $(wildcard $(FOLDERS))
	$(RUN) ruff format $(wildcard $(FOLDERS))

test:  ## all tests, as `uv run pytest`
	$(RUN) pytest

conformance:  ## clients of others talk to our server; installs a gigabyte the first time
	uv run --group conformance pytest tests/conformance

model:  ## explore the floor exhaustively, in larger worlds than `make test`
	CHARYE_MODEL=full $(RUN) pytest tests/model -s

coverage:  ## branch coverage of what decides: the core and the wire
	$(RUN) coverage erase
	$(RUN) coverage run -m pytest -q
	$(RUN) coverage report --include='src/charye/core/*,src/charye/protocol/*,src/charye/errors.py'

mutation:  ## change the core at random places and see whether a test notices; takes long
	uv run --group mutation mutmut run

docs:  ## draw the generated pictures again, then check links and paths
	$(RUN) python -m tools.docs
	$(RUN) pytest -q tests/test_docs.py tests/test_docs_floor.py tests/test_invariants.py

build:  ## wheel and source distribution, and a look into both
	rm -rf dist
	uv build --quiet
	$(RUN) python -m tools.wheel dist

pins:  ## write exact versions of all dependencies into pyproject.toml, keeping those that fit
	$(RUN) python -m tools.pins

upgrade:  ## as pins, but take the newest versions
	$(RUN) python -m tools.pins --upgrade
