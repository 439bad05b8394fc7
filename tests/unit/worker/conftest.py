"""What the tests of the worker share: a client of one endpoint, and the body of a call that misbehaves."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import redis

from jobs.claims import Claim
from jobs.prices import Price
from jobs.record import Job
from jobs.runs import Runs
from tests.factories import MODEL
from tests.fakes.bench import Bench, running_bench
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until
from worker.attempt import Attempts
from worker.background import Background
from worker.calls import Call, Calls
from worker.crew import Crew
from worker.endpoints import Endpoint
from worker.log_pump import LogPump
from worker.responses_client import Answer, ResponsesClient
from worker.results import Results
from worker.session import open_session

Post = Callable[..., Answer]
NO_PRICES: Mapping[str, Price] = MappingProxyType({})


def request_body(*, fault: str = "", stream: bool = False, **more: Any) -> bytes:
    """A request that asks the sandbox for that fault."""
    metadata = {"sandbox": fault} if fault else {}
    return json.dumps({"model": MODEL, "input": "hello", "stream": stream, "metadata": metadata, **more}).encode()


@pytest.fixture
def open_client() -> Iterator[Callable[..., ResponsesClient]]:
    """Makes clients of the endpoint at a base URL; their connections end with the test."""
    with ExitStack() as stack:

        def make(
            url: str,
            *,
            read_seconds: float = 20.0,
            most: int = 1_000_000,
            ca_file: Path | None = None,
            proxy: str = "",
            connections: int = 4,
        ) -> ResponsesClient:
            session = stack.enter_context(open_session(connections=connections, ca_file=ca_file, proxy=proxy))
            return ResponsesClient(
                session,
                url=url,
                api_key="the-key",
                connect_timeout_seconds=5.0,
                read_timeout_seconds=read_seconds,
                max_bytes=most,
            )

        yield make


@pytest.fixture
def post(open_client: Callable[..., ResponsesClient]) -> Post:
    """One call of the endpoint at a base URL."""

    def send(url: str, body: bytes = b"{}", *, call: Call | None = None, **options: Any) -> Answer:
        made = call or Call(seconds=60)
        return open_client(url, **options).create(body, idempotency_key="job_1", call=made)

    return send


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    """The base URL of an endpoint that misbehaves on request."""
    with running_sandbox() as base:
        yield base


@pytest.fixture
def bench(store_client: redis.Redis) -> Iterator[Bench]:
    with running_bench(store_client) as found:
        yield found


@dataclass(slots=True)
class Shop:
    """A worker `w1` without Celery: the test hands it its messages."""

    bench: Bench
    calls: Calls
    attempts: Attempts
    crew: Crew[Claim]

    def submit(self, fault: str = "", *, stream: bool = False, **changes: Any) -> str:
        return self.bench.submit(body=request_body(fault=fault, stream=stream), **changes)

    def claim(self, worker: str = "w1") -> Claim:
        """The one job that may go now, claimed by the worker."""
        self.bench.beat(worker)
        self.bench.dispatch(worker)
        (claim,) = self.bench.claim(worker)
        return claim

    def take(self) -> None:
        """All that may go now is dispatched and taken."""
        self.bench.beat("w1")
        self.bench.dispatch("w1")
        for release in self.bench.releases("w1"):
            self.crew.take(release.numbers, dispatch=release.dispatch)

    def rest(self) -> None:
        """Waits until nothing runs."""
        wait_until(lambda: not self.crew.held)

    def run(self, fault: str = "", **options: Any) -> Job:
        """The job after one attempt."""
        number = self.submit(fault, **options)
        self.take()
        self.rest()
        return self.bench.job(number)


def attempts_at(
    runs: Runs,
    calls: Calls,
    *clients: ResponsesClient,
    background: bool = False,
    prices: Mapping[str, Price] = NO_PRICES,
) -> Attempts:
    """Attempts that call the first client for the account `default`, and the second for `other`."""
    names = ("default", "other")
    endpoints = {
        name: Endpoint(client=client, background=background) for name, client in zip(names, clients, strict=False)
    }
    return Attempts(
        runs=runs,
        endpoints=endpoints,
        background=Background(runs=runs, calls=calls),
        results=Results(runs=runs, prices=prices),
        calls=calls,
        logs=LogPump(runs._client, worker=runs._worker),
    )


@contextmanager
def open_shop(bench: Bench, attempts: Attempts) -> Iterator[Shop]:
    crew = Crew(attempts.runs.claim, attempts.make, attempts.calls, slots=16)
    yield Shop(bench, attempts.calls, attempts, crew)
    crew.finish(grace_seconds=0)
    attempts.logs.close()


@pytest.fixture
def shop(bench: Bench, sandbox: str, open_client: Callable[..., ResponsesClient]) -> Iterator[Shop]:
    client = open_client(f"{sandbox}/v1", read_seconds=0.5, connections=16)
    with open_shop(bench, attempts_at(bench.runs("w1"), Calls(), client)) as found:
        yield found


@pytest.fixture
def background_shop(bench: Bench, sandbox: str, open_client: Callable[..., ResponsesClient]) -> Iterator[Shop]:
    """A shop whose endpoint is asked for background responses."""
    client = open_client(f"{sandbox}/v1", read_seconds=5.0, connections=16)
    with open_shop(bench, attempts_at(bench.runs("w1"), Calls(), client, background=True)) as found:
        yield found
