"""A Responses endpoint that costs as little as one in Python can: `python -m benchmarks.endpoint` prints its port.

POST is answered with a small Response after a fixed delay, or with a stream of deltas if the request asks for one.
GET /counts tells how many calls came and are under way, GET /arrivals when each marked one came.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from functools import partial

from benchmarks.answers import ANSWER, HEAD, STREAM_HEAD, closing_events, delta_event, opening_events
from jobs.open_files import allow_open_files

BACKLOG = 8192
LENGTH = re.compile(rb"\r\ncontent-length: ?(\d+)", re.IGNORECASE)
MARK = re.compile(rb'"mark": ?"([^"]*)"')
STREAMED = re.compile(rb'"stream": ?true')


@dataclass(slots=True, kw_only=True)
class Endpoint:
    """What it is told to do, and what it counted. Times are those of the machine's monotonic and of its wall clock."""

    delay_seconds: float
    spread: float
    deltas_per_second: float
    stream_seconds: float
    notes_arrivals: bool
    answer: bytes
    calls: int = 0
    answered: int = 0
    most_open: int = 0
    first_at: float = 0.0
    last_at: float = 0.0
    arrivals: dict[str, tuple[float, float]] = field(default_factory=dict)

    def begin(self, body: bytes) -> None:
        now = time.monotonic()
        self.calls += 1
        self.first_at = self.first_at or now
        self.most_open = max(self.most_open, self.calls - self.answered)
        if self.notes_arrivals and (mark := MARK.search(body)):
            self.arrivals.setdefault(mark[1].decode(), (now, time.time()))

    def next_delay(self) -> float:
        return self.delay_seconds * random.uniform(1 - self.spread, 1 + self.spread)

    def end(self) -> None:
        self.answered += 1
        self.last_at = time.monotonic()

    def counts(self) -> bytes:
        names = ("calls", "answered", "most_open", "first_at", "last_at")
        return json.dumps({name: getattr(self, name) for name in names}).encode()


class Connection(asyncio.Protocol):
    """One that is kept open; its requests come one after the other."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._loop = asyncio.get_running_loop()
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._held += data
        while (end := self._held.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self._held, 0, end + 2)
            size = end + 4 + (int(length[1]) if length else 0)
            if len(self._held) < size:
                return
            line, body, self._held = self._held[:32], self._held[end + 4 : size], self._held[size:]
            self._asked(line, body)

    def _asked(self, line: bytes, body: bytes) -> None:
        endpoint = self._endpoint
        if line.startswith(b"GET /counts"):
            self._say(endpoint.counts())
        elif line.startswith(b"GET /arrivals"):
            self._say(json.dumps(endpoint.arrivals).encode())
        elif line.startswith(b"POST /hook"):
            self._say(b"{}")
        else:
            endpoint.begin(body)
            if STREAMED.search(body):
                asyncio.create_task(self._stream())  # noqa: RUF006 - the loop's own timers hold it
            elif endpoint.delay_seconds:
                self._loop.call_later(endpoint.next_delay(), self._answer)
            else:
                self._answer()

    def _say(self, body: bytes) -> None:
        self._transport.write(HEAD % len(body) + body)

    def _answer(self) -> None:
        self._endpoint.end()
        self._transport.write(self._endpoint.answer)

    async def _stream(self) -> None:
        """Each delta says when it was written. A delta that is late does not make those after it late."""
        endpoint = self._endpoint
        count = round(endpoint.deltas_per_second * endpoint.stream_seconds)
        self._transport.write(STREAM_HEAD + opening_events())
        started = time.monotonic()
        for number in range(count):
            due = started + number / endpoint.deltas_per_second - time.monotonic()
            if due > 0:
                await asyncio.sleep(due)
            self._transport.write(delta_event(f"at={time.monotonic():.6f};"))
        endpoint.end()
        self._transport.write(closing_events())
        self._transport.close()


async def serve(endpoint: Endpoint, context: ssl.SSLContext | None) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(partial(Connection, endpoint), "127.0.0.1", 0, backlog=BACKLOG, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--delay", type=float, default=0.0, help="Seconds until an answer.")
    reader.add_argument("--spread", type=float, default=0.0, help="Share by which a delay is longer or shorter.")
    reader.add_argument("--deltas", type=float, default=200.0, help="Deltas a second of a stream.")
    reader.add_argument("--stream-seconds", type=float, default=10.0)
    reader.add_argument("--arrivals", action="store_true", help="Note when each marked request came.")
    reader.add_argument("--certificate")
    reader.add_argument("--key")
    asked = reader.parse_args()
    allow_open_files()
    context = None
    if asked.certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(asked.certificate, asked.key)
    endpoint = Endpoint(
        delay_seconds=asked.delay,
        spread=asked.spread,
        deltas_per_second=asked.deltas,
        stream_seconds=asked.stream_seconds,
        notes_arrivals=asked.arrivals,
        answer=HEAD % len(ANSWER) + ANSWER,
    )
    asyncio.run(serve(endpoint, context))


if __name__ == "__main__":
    main()
