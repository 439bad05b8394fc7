"""What Redis holds at one moment, taken as a replica takes it: no write stops, no disk of the server is used."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from jobs.connection import connect
from respool.errors import Refused, Unreachable
from respool.private_file import open_private

SILENCE_SECONDS = 120.0
"""Longest wait for the next bytes; a server that waits for other replicas or forks sends a newline now and then."""

CHUNK_BYTES = 1024 * 1024
MARK_BYTES = 40
MOST_LINE_BYTES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """An RDB file's length and SHA-256 (hexadecimal), and which server wrote it, such as `valkey 9.1.0`."""

    bytes: int
    sha256: str
    server: str


def take_snapshot(url: str, path: Path) -> Snapshot:
    """Writes an RDB of the Redis at `url` to `path`.

    Raises Unreachable; Refused if the user may not SYNC; OSError where the disk takes no more.
    """
    try:
        with connect(url, answer_seconds=SILENCE_SECONDS) as client:
            server = _server(client)
            digest, length = _written(_synced(client), path)
    except redis.ResponseError as error:
        raise Refused(f"Redis hands out no copy of itself: {error}") from error
    except (redis.RedisError, ConnectionError) as error:
        raise Unreachable(f"the copy of Redis broke off: {error}") from error
    return Snapshot(bytes=length, sha256=digest, server=server)


def _server(client: redis.Redis) -> str:
    told: dict[str, Any] = client.info("server")
    return f"{told.get('server_name', 'redis')} {told.get('valkey_version') or told['redis_version']}"


def _synced(client: redis.Redis) -> Iterator[bytes]:
    """The pieces of the RDB that SYNC brings. The connection cannot be used for anything else after it."""
    connection: Any = client.connection_pool.get_connection()
    try:
        for words in (("capa", "eof"), ("rdb-only", "1")):
            connection.send_command("REPLCONF", *words)
            connection.read_response()
        connection.send_command("SYNC")
        yield from body_of(connection._sock)
    finally:
        connection.disconnect()
        client.connection_pool.release(connection)


def body_of(sock: socket.socket) -> Iterator[bytes]:
    """What follows SYNC, without its frame. Raises ConnectionError if it ends early, redis.ResponseError for a no."""
    line = _line(sock)
    if line.startswith(b"-"):
        raise redis.ResponseError(line[1:].decode(errors="replace"))
    if line.startswith(b"$EOF:"):
        return _until(sock, line[5:])
    if not line.startswith(b"$"):
        raise ConnectionError(f"an answer that is no snapshot: {line!r}")
    return _counted(sock, int(line[1:]))


def _line(sock: socket.socket) -> bytes:
    """The first line that is not empty."""
    line = b""
    while not line.endswith(b"\n") or not line.strip():
        line = line.lstrip() + _some(sock, 1)
        if len(line) > MOST_LINE_BYTES:
            raise ConnectionError("an answer that is no snapshot")
    return line.strip()


def _counted(sock: socket.socket, left: int) -> Iterator[bytes]:
    while left:
        piece = _some(sock, min(left, CHUNK_BYTES))
        left -= len(piece)
        yield piece


def _until(sock: socket.socket, mark: bytes) -> Iterator[bytes]:
    """All before the mark that ends it; the server says nothing after that."""
    tail = b""
    while tail[-MARK_BYTES:] != mark:
        tail += _some(sock, CHUNK_BYTES)
        yield tail[:-MARK_BYTES]
        tail = tail[-MARK_BYTES:]


def _some(sock: socket.socket, most: int) -> bytes:
    try:
        piece = sock.recv(most)
    except OSError as error:
        raise ConnectionError(str(error)) from error
    if not piece:
        raise ConnectionError("the server closed the connection")
    return piece


def _written(pieces: Iterator[bytes], path: Path) -> tuple[str, int]:
    """The SHA-256 and the length of what is now on disk."""
    digest, length = hashlib.sha256(), 0
    with open_private(path) as file:
        for piece in pieces:
            digest.update(piece)
            length += len(piece)
            file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest(), length
