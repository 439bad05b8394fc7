"""Schemathesis against a running service: the whole document, stateful, requests right and wrong, all of its checks on.

`make fuzz` makes 50,000 requests; RESPOOL_FUZZ_SEED is another seed.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis

from jobs.tenants import Tenants
from tests.fuzz.described import Found, fuzzed
from tests.fuzz.service import KEY, SECRET, Service, running_service

LONG = os.environ.get("RESPOOL_FUZZ") == "long"
SEED = int(os.environ.get("RESPOOL_FUZZ_SEED", "1"))
REQUESTS, EXAMPLES, SECONDS = (50_000, 25, 240) if LONG else (150, 1, 6)
PHASES = ("examples", "coverage", "fuzzing", "stateful") if LONG else ("fuzzing", "stateful")
MOST_MIB = 400
OPERATORS = "^/v1/(lanes|projects|workers)"

pytestmark = pytest.mark.timeout(7200)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running_service(tmp_path) as found:
        yield found


def rounds(service: Service) -> Iterator[Found]:
    """One seed after the other; each round ends with what only operators may do, so that it stands in nobody's way."""
    operator, _ = Tenants(service.client, secret=SECRET).create(project="operators", role="admin")
    seed = SEED
    while True:
        asked = [{"key": KEY, "paths": "^(?!/v1/(lanes|projects|workers))"}, {"key": operator, "paths": OPERATORS}]
        for which in asked:
            for found in fuzzed(service.base, seed=seed, examples=EXAMPLES, phases=PHASES, seconds=SECONDS, **which):
                last = found
            yield last
            service.client.delete(*service.client.keys("{respool}:lane_settings:*"), "none")
        seed += 1


def test_whatever_is_asked_is_answered_as_the_document_says_and_nobody_falls(service: Service) -> None:
    before, requests, statuses, known, failures = service.mib(), 0, {}, {}, []
    for found in rounds(service):
        requests += found.requests
        for total, part in ((statuses, found.statuses), (known, found.known)):
            total |= {name: total.get(name, 0) + count for name, count in part.items()}
        failures += found.failures
        print(f"\nschemathesis {schemathesis.__version__}, seeds from {SEED}: {requests} requests, {statuses}")
        print(f"MiB {before} -> {service.mib()}, known {known}", *failures[:20], sep="\n", flush=True)
        if requests >= REQUESTS or failures:
            break
    assert failures == []
    assert [status for status in statuses if status >= 500] == []
    assert service.lives
    assert max(service.mib().values()) < MOST_MIB
