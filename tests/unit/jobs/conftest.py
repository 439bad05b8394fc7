"""A bench over the empty database for each test."""

from collections.abc import Iterator

import pytest
import redis

from tests.fakes.bench import Bench, running_bench
from tests.fakes.clock import Clock, stopped_clock


@pytest.fixture
def bench(store_client: redis.Redis) -> Iterator[Bench]:
    with running_bench(store_client) as made:
        yield made


@pytest.fixture
def clock(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The time of the bench, which stands still until the test moves it on."""
    return stopped_clock(bench.client, monkeypatch)
