.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

PYTHON ?= python3
UV ?= uv
PIP := -m pip --quiet --quiet --disable-pip-version-check
COMPILE := pip compile --quiet --universal --generate-hashes --no-header --no-annotate --python-version 3.11 \
	$(if $(UPGRADE),--upgrade)

.PHONY: help
help:  ## say what there is to make
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: .venv/.ready  ## show Prorata at work: prorata demo
	@.venv/bin/prorata demo

.PHONY: test
test: .venv-test/.ready .venv-engine/.ready .venv-compiled/.ready  ## run every check; the first that fails ends it
	@echo "==> ruff check"
	@.venv-test/bin/ruff check --quiet
	@echo "==> ruff format --check"
	@.venv-test/bin/ruff format --check --quiet || { echo "To format: .venv-test/bin/ruff format"; exit 1; }
	@echo "==> mypy"
	@.venv-test/bin/mypy --no-error-summary
	@echo "==> lint-imports"
	@said=$$(.venv-test/bin/lint-imports 2>&1) || { echo "$$said"; exit 1; }
	@echo "==> tests of the engine, with nothing installed but pytest and Hypothesis"
	@PYTHONPATH=src .venv-engine/bin/python -m pytest -n auto --dist worksteal tests/engine
	@echo "==> the same tests, with the engine compiled"
	@.venv-compiled/bin/python -m pytest -n auto --dist worksteal tests/engine
	@.venv-test/bin/python -m tests.hledger
	@echo "==> all other tests, with Prorata installed, on SQLite"
	@.venv-test/bin/python -m pytest -n auto --ignore=tests/engine --ignore=tests/service/concurrent tests
	@echo "==> the tests of the service, on PostgreSQL"
	@.venv-test/bin/python -m tests.postgresql .venv-test/bin/python -m pytest -n auto tests/service
	@echo "==> prorata check scenarios conformance/stories"
	@.venv-test/bin/prorata check scenarios conformance/stories
	@echo "==> all passed"

.PHONY: bench
bench: .venv-test/.ready .venv-compiled/.ready .venv-bench/.ready  ## measure how fast it is, compiled and as plain Python
	@.venv-compiled/bin/python benchmarks/bench.py
	@echo
	@.venv-test/bin/python benchmarks/bench.py
	@echo
	@PYTHONPATH=. .venv-bench/bin/python benchmarks/bill_run.py $(if $(ACCOUNTS),--accounts $(ACCOUNTS))
	@echo
	@PYTHONPATH=. .venv-bench/bin/python benchmarks/preview.py
	@echo
	@.venv-test/bin/python benchmarks/memory.py $(if $(ACCOUNTS),--accounts $(ACCOUNTS))

.PHONY: check-mutants
check-mutants: .venv-test/.ready  ## change the engine in small ways and list the changes no test notices (slow)
	@.venv-test/bin/mutmut run
	@echo "==> changes that no test noticed"
	@.venv-test/bin/mutmut results

.PHONY: docs
docs: .venv-test/.ready  ## write docs/reference and docs/presets anew, and what the examples of the documentation print
	@.venv-test/bin/python -m prorata.console.reference docs/reference
	@.venv-test/bin/python -m prorata.api.reference docs/reference
	@.venv-test/bin/python -m tests.docs.conformance
	@.venv-test/bin/python -m tests.docs.presets
	@.venv-test/bin/python -m tests.docs.shown

.PHONY: wheel
wheel: dist/.compiled  ## compile the engine into dist/*.whl

.PHONY: lock
lock:  ## write the lock files anew from pyproject.toml; UPGRADE=1 takes the newest versions
	@command -v $(UV) >/dev/null || \
		{ echo "make lock needs uv: install it (pip install uv), or say where it is: make lock UV=/path/to/uv"; exit 1; }
	@$(UV) $(COMPILE) pyproject.toml --group build --output-file requirements.lock >/dev/null
	@$(UV) $(COMPILE) pyproject.toml --extra plot --group dev --output-file requirements-dev.lock >/dev/null
	@$(UV) $(COMPILE) --group engine --output-file requirements-engine.lock >/dev/null

.PHONY: clean
clean:  ## delete the virtual environments, the caches and what was built
	@rm -rf .venv .venv-* build dist mutants .coverage
	@rm -rf .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find . -name .git -prune -o -name __pycache__ -type d -prune -exec rm -rf {} +

# Each virtual environment is built anew when its lock file or pyproject.toml is newer than its .ready.

.venv/.ready: requirements.lock pyproject.toml
	$(call new-venv,.venv,requirements.lock)
	$(call install-prorata,.venv)
	@touch $@

.venv-test/.ready: requirements-dev.lock pyproject.toml
	$(call new-venv,.venv-test,requirements-dev.lock)
	$(call install-prorata,.venv-test)
	@touch $@

.venv-engine/.ready: requirements-engine.lock pyproject.toml
	$(call new-venv,.venv-engine,requirements-engine.lock)
	@touch $@

.venv-compiled/.ready: requirements-engine.lock dist/.compiled
	$(call new-venv,.venv-compiled,requirements-engine.lock)
	@.venv-compiled/bin/python $(PIP) install --no-deps dist/*.whl
	@.venv-compiled/bin/python -c 'from prorata.engine import bill; assert bill.__file__.endswith((".so", ".pyd"))'
	@touch $@

.venv-bench/.ready: requirements.lock dist/.compiled
	$(call new-venv,.venv-bench,requirements.lock)
	@.venv-bench/bin/python $(PIP) install --no-deps dist/*.whl
	@touch $@

# Built from a copy, since the compiler leaves what it made beside the sources, where it would be taken for them.
dist/.compiled: pyproject.toml $(shell find src -name '*.py' -o -name '*.toml' -o -name '*.csv') | .venv-test/.ready
	$(call need-compiler)
	@echo "==> compiling the engine"
	@rm -rf build dist && mkdir -p build && cp -r src README.md LICENSE pyproject.toml build
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=1 .venv-test/bin/python $(PIP) wheel --no-build-isolation --no-deps \
		--wheel-dir dist ./build
	@rm -rf build
	@touch $@

HAS_VENV := $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null

define new-venv
@$(HAS_VENV) || { \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ] && [ "$(PYTHON)" = python3 ]; then \
		echo "==> python3 cannot make virtual environments: installing python3-venv"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get -qq update && apt-get -qq --yes install python3-venv; } >/dev/null; \
	fi; \
	$(HAS_VENV) || { \
		echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt-get install python3-venv"; exit 1; \
	}; \
}
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "Prorata needs Python 3.11 or newer; say where it is: make PYTHON=/path/to/python3.11"; exit 1; }
@echo "==> setting up $(1)"
@rm -rf $(1)
@$(PYTHON) -m venv $(1)
@$(1)/bin/python $(PIP) install --require-hashes -r $(2)
endef

HAS_COMPILER := $(PYTHON) -c 'import os, shutil, sys, sysconfig; \
	sys.exit(not (shutil.which("cc") and os.path.exists(sysconfig.get_path("include") + "/Python.h")))'

define need-compiler
@$(HAS_COMPILER) || { \
	if [ "$$(id -u)" = 0 ] && [ -e /etc/debian_version ] && [ "$(PYTHON)" = python3 ]; then \
		echo "==> there is no C compiler, or no headers of Python: installing gcc and python3-dev"; \
		export DEBIAN_FRONTEND=noninteractive; \
		{ apt-get -qq update && apt-get -qq --yes install gcc libc6-dev python3-dev; } >/dev/null; \
	fi; \
	$(HAS_COMPILER) || { \
		echo "compiling needs cc and Python.h; on Debian and Ubuntu: apt-get install gcc libc6-dev python3-dev"; exit 1; \
	}; \
}
endef

define install-prorata
@$(1)/bin/python $(PIP) install --no-build-isolation --no-deps -e .
endef
