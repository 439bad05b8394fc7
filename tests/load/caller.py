"""A caller of the API on asyncio, of which one process holds ten thousand: each has one connection at a time."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.load.stage import KEY

GIVE_UP_SECONDS = 300.0
"""A caller who is told nothing for so long was hung up on."""
IDLE_SECONDS = 12.0
"""After which a kept connection is not used again: the server closes it after 15."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The names of `headers` are in lower case; `seconds` passed until all of it was there."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(slots=True)
class Caller:
    """Raises what goes wrong on the way: OSError, EOFError, TimeoutError."""

    port: int
    _reader: asyncio.StreamReader | None = field(default=None, init=False)
    _writer: asyncio.StreamWriter | None = field(default=None, init=False)
    _used: float = field(default=0.0, init=False)

    async def ask(self, method: str, path: str, *, body: Any = None, **headers: str) -> Answer:
        """`body` is sent as it is where it is bytes, else as JSON; `headers` have `_` for `-`."""
        begun = time.monotonic()
        async with asyncio.timeout(GIVE_UP_SECONDS):
            status, told = await self._begin(method, path, body, headers)
            content = b"".join([piece async for piece in self._pieces(told)])
        self._used = time.monotonic()
        if told.get("connection") == "close":
            await self.close()
        return Answer(status=status, headers=told, body=content, seconds=time.monotonic() - begun)

    @asynccontextmanager
    async def events(self, method: str, path: str, *, body: Any = None) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """The events of a stream, each as its data. Raises ValueError for an answer that is none."""
        async with asyncio.timeout(GIVE_UP_SECONDS):
            status, told = await self._begin(method, path, body, {})
        if status != 200 or not told["content-type"].startswith("text/event-stream"):
            raise ValueError(f"{status} instead of a stream")
        try:
            yield self._events(told)
        finally:
            await self.close()

    async def _events(self, told: Mapping[str, str]) -> AsyncIterator[dict[str, Any]]:
        rest = b""
        async for piece in self._pieces(told):
            *frames, rest = (rest + piece).split(b"\n\n")
            for frame in frames:
                data = [line[6:] for line in frame.split(b"\n") if line.startswith(b"data: {")]
                if data:
                    yield json.loads(data[0])

    async def _begin(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, Mapping[str, str]]:
        reader, writer = await self._connected()
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        told = {"Host": "load", "Authorization": f"Bearer {KEY}", "Content-Length": str(len(data))}
        told |= {"Content-Type": "application/json"} if data and "Content_Type" not in headers else {}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        head = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items())]
        writer.write("\r\n".join([*head, "", ""]).encode() + data)
        await writer.drain()
        return await _head(reader)

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A kept connection that the server has not closed, or a new one."""
        idle = time.monotonic() - self._used > IDLE_SECONDS
        if self._reader is None or self._writer is None or self._reader.at_eof() or idle:
            await self.close()
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        return self._reader, self._writer

    async def _pieces(self, told: Mapping[str, str]) -> AsyncIterator[bytes]:
        assert self._reader is not None
        if told.get("transfer-encoding") != "chunked":
            yield await self._reader.readexactly(int(told.get("content-length", "0")))
            return
        while size := int(await _line(self._reader), 16):
            yield (await self._reader.readexactly(size + 2))[:-2]
        await _line(self._reader)

    async def close(self) -> None:
        reader, writer, self._reader, self._writer = self._reader, self._writer, None, None
        if reader is not None and writer is not None:
            writer.close()


async def _line(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(GIVE_UP_SECONDS):
        return (await reader.readuntil(b"\r\n"))[:-2]


async def _head(reader: asyncio.StreamReader) -> tuple[int, Mapping[str, str]]:
    status = int((await reader.readuntil(b"\r\n")).split(b" ", 2)[1])
    headers = {}
    while line := (await reader.readuntil(b"\r\n"))[:-2]:
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    return status, headers
