# fastvrrp: `make help` lists what there is.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
PYTHON := $(VENV)/bin/python
PYTEST := $(PYTHON) -m pytest
SANITIZED := build/sanitized
FUZZ_SECONDS ?= 60
SOURCES := $(shell find src csrc -name '*.pyx' -o -name '*.pxd' -o -name '*.[ch]' | grep -v '^build/')

.PHONY: help demo test test-all lint bench fuzz docs build clean demo-packages test-packages

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

demo: demo-packages build ## two routers, one address, real failovers; writes demo-timeline.svg
	@PYTHONPATH=tests:examples $(PYTHON) -m demo

test: test-packages build lint ## all tests but the slow ones, as CI runs them
	$(PYTEST) -n 3 --dist loadgroup -m "not slow and not vm"
	$(MAKE) fuzz

test-all: test-packages build lint ## all tests
	$(PYTEST) -n 3 --dist loadgroup
	$(MAKE) fuzz

# The decoders run in a build of their own with AddressSanitizer and UndefinedBehaviorSanitizer.
fuzz: build ## hostile packets and hostile configurations, FUZZ_SECONDS long (60)
	@mkdir -p $(SANITIZED)
	@tar -c --exclude='*.so' --exclude=__pycache__ src csrc tests/fuzz tests/vectors setup.py pyproject.toml \
	    README.md LICENSE | tar -x -C $(SANITIZED)
	@cd $(SANITIZED) && FASTVRRP_SANITIZE=1 ../../$(PYTHON) setup.py --quiet build_clib build_ext --inplace
	@PYTHONPATH=src $(PYTHON) -m tests.fuzz.reader --seconds $(FUZZ_SECONDS) & reader=$$!; \
	(cd $(SANITIZED) && FASTVRRP_SANITIZE=1 ASAN_OPTIONS=detect_leaks=0 PYTHONPATH=src \
	    LD_PRELOAD="$$(gcc -print-file-name=libasan.so) $$(gcc -print-file-name=libubsan.so)" \
	    ../../$(PYTHON) -m tests.fuzz.decoders --seconds $(FUZZ_SECONDS)); wait $$reader

lint: build ## style, types
	$(VENV)/bin/ruff check --no-cache
	$(VENV)/bin/ruff format --check --no-cache
	$(PYTHON) -m mypy src tests examples
	MYPYPATH=benchmarks $(PYTHON) -m mypy benchmarks
	$(PYTHON) -m mypy.stubtest --allowlist tests/lint/stubtest.allow fastvrrp.wire fastvrrp.core fastvrrp.loop
	PATH=$(VENV)/bin:$$PATH $(VENV)/bin/cython-lint src tests

bench: test-packages build ## failover latency and jitter beside keepalived
	$(PYTEST) benchmarks -p no:xdist

docs: build ## rewrite what is generated from the sources
	@mkdir -p man completions
	$(PYTHON) -m fastvrrp.config.reference > docs/keywords.md
	$(PYTHON) -m fastvrrp.config.jsonschema > docs/config.schema.json
	$(PYTHON) -m fastvrrp.config.manual > man/fastvrrp.conf.5
	$(PYTHON) -m fastvrrp.completion > completions/fastvrrp.bash
	PYTHONPATH=tests $(PYTHON) -m faults.table > docs/faults.md

build: $(VENV)/built ## the environment in .venv, the C library and the Cython modules in place

$(VENV)/built: $(VENV)/installed setup.py $(SOURCES)
	@echo "building"
	@$(PYTHON) setup.py --quiet build_clib build_ext --inplace
	@touch $@

$(VENV)/installed: pyproject.toml
	@.ci/packages demo
	@echo "installing into $(VENV)"
	@test -x $(PYTHON) || "$$(.ci/python)" -m venv $(VENV)
	@$(PYTHON) -m pip install --quiet --upgrade pip 'setuptools>=77' wheel 'cython>=3.1'
	@$(PYTHON) -m pip install --quiet --no-build-isolation --editable '.[test]'
	@touch $@

demo-packages:
	@.ci/packages demo

test-packages:
	@.ci/packages test

clean: ## remove everything that was built
	rm -rf $(VENV) build *.egg-info src/*.egg-info demo-timeline.svg
	find src -name '*.so' -delete
