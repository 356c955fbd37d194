# Everything that a person does often. Each target does its own set-up (scripts/setup.sh) first, so
# `make demo` and `make test` work on a fresh Debian-like machine with Rust installed.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:

PY := .venv/bin/python
LLVM_SYS_221_PREFIX ?= /usr/lib/llvm-22
PYO3_PYTHON := $(CURDIR)/$(PY)
export LLVM_SYS_221_PREFIX PYO3_PYTHON

PLUGIN := python/gijit/libgijit_llvm.so
CARGO := cargo --locked

.PHONY: help setup plugin wheel build test test-rust test-python leaks memcheck asan demo bench lint clean

help:
	@echo "build  .venv/ with gijit installed in release mode"
	@echo "demo   calls per tier against stock PyGObject, and a program under trace"
	@echo "test   all tests, PyGObject's own suite among them"
	@echo "leaks  the leak test with 10,000 calls of each case (17 minutes)"
	@echo "memcheck  the Rust tests, and the corpora tier by tier, under valgrind (12 minutes)"
	@echo "asan   the corpora with the extension module under AddressSanitizer"
	@echo "bench  calls per tier against stock PyGObject, C, ctypes and cffi; writes docs/benchmarks.md"
	@echo "lint   formatting and static checks"
	@echo "wheel  a wheel with all three tiers, in dist/"
	@echo "clean  removes all that the other targets made"

setup:
	@scripts/setup.sh

# Tier 2 is a library of its own that gijit loads at its first use; the wheel carries it.
plugin: setup
	$(CARGO) build --release -p gijit-llvm
	@cmp -s target/release/libgijit_llvm.so target/libgijit_llvm.unstripped 2>/dev/null && test -f $(PLUGIN) || { \
	  cp target/release/libgijit_llvm.so target/libgijit_llvm.unstripped && \
	  strip -o $(PLUGIN) target/release/libgijit_llvm.so; }

wheel: plugin
	@rm -f dist/gijit-*.whl
	cd python && ../$(PY) -m maturin build --release --locked --strip --interpreter ../$(PY) --out ../dist

build: wheel
	$(PY) -m pip install -q --disable-pip-version-check --no-deps --no-index --force-reinstall dist/gijit-*.whl
	@$(PY) -c 'import gijit; print("gijit is installed in .venv from", gijit.__file__)'

test: build test-rust test-python

# The model of publishing and retiring is built with loom's types, in a folder of its own.
test-rust: setup
	$(CARGO) test --workspace
	RUSTFLAGS="--cfg loom" CARGO_TARGET_DIR=target/loom $(CARGO) test -p gijit --test loom_slot

# The files of tests are spread over the processors. Without perf and a browser the tests that look at
# profiles and pages with them are skipped.
test-python: setup
	@scripts/setup.sh linux-perf chromium || echo "some tests will be skipped"
	$(PY) -m pytest tests -raP -n auto --maxprocesses 4 --dist loadfile

leaks: build
	GIJIT_LEAK_CALLS=10000 $(PY) -m pytest tests/python/test_leaks.py -raP

# These packages have tests that make and run machine code. valgrind needs executable memory itself,
# so it cannot run the test of a process that may not have any.
memcheck: build
	@scripts/setup.sh valgrind
	CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="valgrind -q --error-exitcode=9 --smc-check=all" \
	  $(CARGO) test -p gijit -p gijit-interp -p gijit-cranelift -- --skip no_executable_mappings
	$(PY) tests/memcheck/run.py

asan: build
	$(PY) tests/memcheck/asan.py

demo: build
	@$(PY) demo/demo.py

bench: build
	@$(PY) benches/bench.py

lint: setup
	cargo fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(PY) -m ruff check
	$(PY) -m ruff format --check

clean:
	cargo clean
	rm -rf .venv build dist $(PLUGIN) .pytest_cache .ruff_cache
