# Everything anybody does with this checkout. A machine with python3 (3.11 or later), make and git is enough:
# each target sets up what it needs, once.

PYTHON ?= python3
BIN := .venv/bin
# More words for what is run, such as: make test ARGS="tests/core -k twins", make bench ARGS=--whole
ARGS ?=

# A checkout that was moved needs its virtual environment made again.
ifneq ($(shell cat .venv/made-in 2>/dev/null),$(CURDIR))
.PHONY: .venv/runtime .venv/databases .venv/dev
endif

.PHONY: help setup install demo serve test lint bench faults api-long simulate-long messages lock
.DEFAULT_GOAL := help

help:
	@echo 'make demo     a simulated school with a class running now, and the address to open'
	@echo 'make serve    Rollcall itself'
	@echo 'make install  what a machine for real use needs, with the drivers of all databases, and nothing else'
	@echo 'make test     all tests          (ARGS="tests/core" for some)'
	@echo 'make lint     ruff, mypy, who may import whom, is every text translated'
	@echo 'make bench    how fast it is, as a table and in bench/latest.json (ARGS=--whole for more of everything)'
	@echo 'make faults   200 times kill -9 in the middle of a stream of arrivals'
	@echo 'make api-long  ten thousand random requests to each address of the API'
	@echo 'make simulate-long  a million damaged classes against their truth (ARGS="--meetings 50000 --seed 7")'
	@echo 'make messages every new text into the files of the languages (ARGS="--add fr" begins one)'
	@echo 'make setup    only what the others need first'
	@echo 'make lock     new requirements/*.txt from requirements/*.in (needs uv)'

setup: .venv/dev

install: .venv/databases

demo: .venv/runtime
	$(BIN)/rollcall demo

serve: .venv/runtime
	$(BIN)/rollcall serve

# What pytest has rewritten is kept, whatever the environment says: every process of every run would do it again.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv/dev .setup/packages
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

lint: .venv/dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	ROLLCALL_DATA=.setup/lint $(BIN)/mypy rollcall tests bench scripts
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.messages --check

bench: .venv/dev
	$(BIN)/python -m bench $(ARGS)

faults: .venv/dev
	ROLLCALL_KILLS=200 $(BIN)/python -m pytest tests/whole/test_kill.py $(ARGS)

api-long: .venv/dev
	ROLLCALL_LONG=1 $(BIN)/python -m pytest tests/api/test_schema.py -n auto $(ARGS)

simulate-long: .venv/dev
	$(BIN)/python -m tests.whole.long $(ARGS)

messages: .venv/dev
	$(BIN)/python -m scripts.messages $(ARGS)

lock:
	cd requirements && for name in runtime databases dev; do \
	    uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links \
	        --quiet $$name.in -o $$name.txt || exit 1; done

# The stamps lie inside the virtual environment, so that they go when it goes.
.venv/runtime: requirements/runtime.txt pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' sh scripts/venv.sh requirements/runtime.txt
	@touch $@

.venv/databases: requirements/databases.txt pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' sh scripts/venv.sh requirements/databases.txt
	@touch .venv/runtime $@

.venv/dev: requirements/dev.txt pyproject.toml scripts/venv.sh
	@PYTHON='$(PYTHON)' sh scripts/venv.sh requirements/dev.txt
	@touch .venv/runtime .venv/databases $@

.setup/packages: scripts/packages.sh
	@mkdir -p .setup
	@STAMP=$@ sh scripts/packages.sh
