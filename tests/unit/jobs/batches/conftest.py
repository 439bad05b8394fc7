"""A bench of jobs and one of batches over the same empty database."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.fakes.batches import BatchBench
from tests.fakes.bench import Bench, running_bench


@pytest.fixture
def bench(store_client: redis.Redis) -> Iterator[Bench]:
    with running_bench(store_client) as made:
        yield made


@pytest.fixture
def batches(store_client: redis.Redis, tmp_path: Path) -> BatchBench:
    return BatchBench(client=store_client, folder=tmp_path / "files")
