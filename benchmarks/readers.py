"""Many readers of live streams that cost as little as they can: `python -m benchmarks.readers READING`, as JSON.

It prints a line when all have been answered, and one with what they read when all streams have ended.
"""

from __future__ import annotations

import asyncio
import json
import re
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit

from benchmarks.service import API_KEY
from benchmarks.upstream import CHECKOUT

MEASURING = 50
"""Readers that look at every delta; it would be one process's whole time if all did."""

WRITTEN = re.compile(rb"at=([0-9.]+);")
DONE = b"data: [DONE]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`expected` is the number of deltas of each stream."""

    url: str
    ids: list[str]
    readers: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    p50_ms: float
    p99_ms: float
    deltas: int
    missing: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    process: subprocess.Popen[str]

    def wait_until_ready(self) -> None:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if line.strip() != "ready":
            raise RuntimeError(f"the readers did not begin: {line!r}")

    def result(self, *, seconds: float = 300) -> Heard:
        out, _ = self.process.communicate(timeout=seconds)
        return Heard(**json.loads(out))


def followed(reading: Reading) -> Following:
    """Readers in a process of their own, evenly over the streams."""
    command = [sys.executable, "-m", "benchmarks.readers", json.dumps(asdict(reading))]
    return Following(process=subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT))


@dataclass(slots=True, kw_only=True)
class Crowd:
    reading: Reading
    latencies: list[float] = field(default_factory=list)
    missing: int = 0
    begun: int = 0
    left: int = 0
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    def has_begun(self) -> None:
        self.begun += 1
        if self.begun == self.reading.readers:
            self.ready.set()

    def has_ended(self, reader: Reader) -> None:
        self.left -= 1
        self.latencies += reader.latencies
        if reader.measures:
            self.missing += self.reading.expected - len(reader.latencies)
        if not self.left:
            self.over.set()

    def heard(self) -> Heard:
        found = sorted(self.latencies) or [0.0]
        return Heard(
            p50_ms=1000 * found[len(found) // 2],
            p99_ms=1000 * found[int(len(found) * 0.99)],
            deltas=len(self.latencies),
            missing=self.missing,
        )


class Reader(asyncio.Protocol):
    def __init__(self, crowd: Crowd, request: bytes, *, measures: bool) -> None:
        self._crowd = crowd
        self._request = request
        self.measures = measures
        self.latencies: list[float] = []
        self._rest = b""
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begun = True
            self._crowd.has_begun()
        if self.measures:
            self._look(self._rest + data)
        if DONE in self._rest + data:
            self._transport.close()
        elif not self.measures:
            self._rest = data[-len(DONE) :]

    def _look(self, data: bytes) -> None:
        """A delta counts once it has come whole; the last event repeats none of them."""
        now, end = time.monotonic(), 0
        for found in WRITTEN.finditer(data):
            self.latencies.append(now - float(found[1]))
            end = found.end()
        self._rest = data[max(end, len(data) - 64) :]

    def connection_lost(self, exc: Exception | None) -> None:
        self._crowd.has_ended(self)


def request_of(reading: Reading, number: int) -> bytes:
    address = urlsplit(reading.url)
    path = f"/v1/responses/{reading.ids[number % len(reading.ids)].replace('job_', 'resp_')}?stream=true"
    head = [f"GET {path} HTTP/1.1", f"Host: {address.netloc}", f"Authorization: Bearer {API_KEY}", "", ""]
    return "\r\n".join(head).encode()


async def main(reading: Reading) -> None:
    loop, address = asyncio.get_running_loop(), urlsplit(reading.url)
    crowd = Crowd(reading=reading, left=reading.readers)
    for number in range(reading.readers):
        measures = number < MEASURING
        request = request_of(reading, number)
        await loop.create_connection(
            lambda request=request, measures=measures: Reader(crowd, request, measures=measures),  # type: ignore[misc]
            address.hostname,
            address.port,
        )
    await crowd.ready.wait()
    print("ready", flush=True)
    await crowd.over.wait()
    print(json.dumps(asdict(crowd.heard())))


if __name__ == "__main__":
    asyncio.run(main(Reading(**json.loads(sys.argv[1]))))
