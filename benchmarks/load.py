"""Many clients of one HTTP server that cost as little as they can: `python -m benchmarks.load` reads a Load from stdin.

Each client keeps one connection and sends a request as soon as it has the answer to the one before. They come one after
the other, as callers do: of many that connect at one moment, one process of a server takes most.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from benchmarks.child import output_of
from benchmarks.upstream import CHECKOUT

LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
JOB_ID = re.compile(rb'"id": ?"(job_[0-9a-f]{32})"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """MARK in the body and in `url` becomes the number of the request, or the one of `marks` whose turn it is."""

    url: str
    method: str
    clients: int
    count: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    marks: list[str] = field(default_factory=list)
    keep_ids: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """`refusal` is the first answer that was no success; `ids` are those of the jobs that were answered, if kept."""

    seconds: float
    p50_ms: float
    p99_ms: float
    refusal: str
    ids: list[str]

    def rate(self, count: int) -> float:
        return count / self.seconds


def loaded(load: Load) -> Loaded:
    """What came of the load, made in a process of its own. Raises RuntimeError if anything was refused."""
    command = [sys.executable, "-m", "benchmarks.load"]
    found = json.loads(output_of(command, environ={}, cwd=CHECKOUT, stdin=json.dumps(asdict(load))))
    if found["refusal"]:
        raise RuntimeError(f"{load.method} {load.url} was refused: {found['refusal']}")
    return Loaded(**found)


class Client(asyncio.Protocol):
    def __init__(self, run: Run) -> None:
        self._run = run
        self._held = bytearray()
        self._sent_at = 0.0
        self._next: bytes | None = None
        self._came = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send(self._next or self._run.next())

    def _send(self, request: bytes | None) -> None:
        self._next = request
        if request is None:
            self._run.client_is_done()
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._held, 0, end + 2)
        if len(self._held) < end + 4 + (int(length[1]) if length else 0):
            return
        answer, self._held = bytes(self._held), bytearray()
        self._run.took(time.perf_counter() - self._sent_at, answer)
        self._send(self._run.next())
        if not self._came:
            self._came = True
            self._run.next_client()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that closes a connection gets the request again over another."""
        if self._next is not None:
            self._run.connect(self._next)


class Run:
    def __init__(self, load: Load) -> None:
        self._load = load
        self._requests = requests_of(load)
        self._latencies: list[float] = []
        self._refusal = ""
        self._ids: list[str] = []
        self._left = self._to_come = load.clients
        self._done = asyncio.Event()
        self._tasks: set[asyncio.Task[object]] = set()

    async def to_its_end(self) -> Loaded:
        started = time.perf_counter()
        self.next_client()
        await self._done.wait()
        seconds = time.perf_counter() - started
        found = sorted(self._latencies)
        return Loaded(
            seconds=seconds,
            p50_ms=1000 * found[len(found) // 2],
            p99_ms=1000 * found[int(len(found) * 0.99)],
            refusal=self._refusal,
            ids=self._ids,
        )

    def next_client(self) -> None:
        if self._to_come:
            self._to_come -= 1
            self.connect(None)

    def connect(self, request: bytes | None) -> None:
        def made() -> Client:
            client = Client(self)
            client._next = request
            return client

        address = urlsplit(self._load.url)
        connecting = asyncio.get_running_loop().create_connection(made, address.hostname, address.port)
        task: asyncio.Task[object] = asyncio.create_task(connecting)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def next(self) -> bytes | None:
        return next(self._requests, None)

    def took(self, seconds: float, answer: bytes) -> None:
        self._latencies.append(seconds)
        if answer[9:10] != b"2" and not self._refusal:
            self._refusal = answer[:1000].decode(errors="replace")
        if self._load.keep_ids and (found := JOB_ID.search(answer)):
            self._ids.append(found[1].decode())

    def client_is_done(self) -> None:
        self._left -= 1
        self.next_client()
        if not self._left:
            self._done.set()


def requests_of(load: Load) -> Iterator[bytes]:
    address = urlsplit(load.url)
    path = address.path + (f"?{address.query}" if address.query else "")
    for number in range(load.count):
        mark = load.marks[number % len(load.marks)] if load.marks else f"{number:032x}"
        body = load.body.replace("MARK", mark).encode()
        headers = {"Host": address.netloc, **load.headers}
        if body:
            headers["Content-Length"] = str(len(body))
        head = [f"{load.method} {path.replace('MARK', mark)} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        yield "\r\n".join([*head, "", ""]).encode() + body


async def main() -> None:
    found = await Run(Load(**json.load(sys.stdin))).to_its_end()
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    asyncio.run(main())
