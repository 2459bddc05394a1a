# The only commands a contributor must know. Everything runs in .venv, made from the hash-locked requirements.
PYTHON ?= python3
BIN := .venv/bin
ROOMS := domain ingest analytics api dashboards edge_sim lanbi

.PHONY: demo test check bench bench-peers faults services sbom wheel lock clean
.DEFAULT_GOAL := test

demo: .venv/ready
	$(BIN)/lanbi demo $(DEMO)

test: .venv/ready
	$(BIN)/python -m pytest $(TESTS)

check: .venv/ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(MAKE) --no-print-directory test

bench: .venv/ready
	@set -e; rm -f bench/results.jsonl; for file in $(filter-out bench/common.py,$(wildcard bench/*.py)); do \
	    $(BIN)/python $$file $(BENCH) --json bench/results.jsonl; done
	$(if $(findstring --quick,$(BENCH)),,$(BIN)/python -m scripts.performance bench/results.jsonl)

# Telegraf, for bench/ingest.py; without it the bench leaves that side out and says so.
bench-peers:
	scripts/peers.sh

faults: .venv/ready
	@set -e; for name in $(filter-out test_%,$(basename $(notdir $(wildcard tests/faults/*.py)))); do \
	    $(BIN)/python -m tests.faults.$$name $(FAULTS); done

services:
	scripts/services.sh

# The kernels are compiled here, so that no first start waits for it; anew whenever their sources have changed. The rooms too:
# who runs lanbi from a checkout may not write into it, and each start would compile everything again.
.venv/ready: .venv/installed $(shell find analytics -name '*.py')
	@echo '编译计算核心（约一分钟） compiling kernels: about a minute'
	$(BIN)/python -m compileall -q $(ROOMS)
	$(BIN)/python -m lanbi.machine_code
	touch $@

# --no-deps: the lock is complete, and pip must not look for more. The editable install puts `lanbi` into .venv/bin.
.venv/installed: requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "lanbi needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo '安装依赖（一两分钟，网慢时更久） installing packages: a minute or two, longer on a slow line'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

wheel: .venv/ready
	rm -f dist/lanbi-*.whl
	$(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --no-index --no-build-isolation -w dist .

sbom: .venv/ready
	scripts/sbom.sh

lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/pip install --quiet pip-tools
	scripts/lock.sh .venv-lock/bin/pip-compile

clean:
	rm -rf .venv .venv-lock dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
