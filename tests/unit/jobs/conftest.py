"""A bench over the empty database for each test."""

from collections.abc import Iterator

import pytest
import redis

from tests.fakes.bench import Bench, running_bench


@pytest.fixture
def bench(store_client: redis.Redis) -> Iterator[Bench]:
    with running_bench(store_client) as made:
        yield made
