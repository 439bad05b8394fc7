"""What the tests of the worker share: a client of one endpoint, and the body of a call that misbehaves."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.factories import MODEL
from worker.calls import Call
from worker.responses_client import Answer, ResponsesClient
from worker.session import open_session

Post = Callable[..., Answer]


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
