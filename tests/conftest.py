"""What most tests stand on: a real Redis-protocol server for each test process, emptied for each test."""

import signal
from collections.abc import Iterator

import pytest
import redis

from jobs.connection import connect
from tests.fakes.redis_server import RedisServer, running_redis

# A shell that runs the tests in its background has them ignore Ctrl-C, and with them every process that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> Iterator[str]:
    """The URL of an empty database."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
    yield redis_server.url
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()


@pytest.fixture
def store_client(redis_url: str) -> Iterator[redis.Redis]:
    """A client as the service makes it."""
    client = connect(redis_url)
    yield client
    client.close()
