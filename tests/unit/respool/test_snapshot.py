import hashlib
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from respool.errors import Unreachable
from respool.snapshot import MARK_BYTES, body_of, take_snapshot
from tests.fakes.redis_server import RedisServer, free_port

MARK = b"m" * MARK_BYTES


@contextmanager
def answering(*pieces: bytes) -> Iterator[socket.socket]:
    """A connection whose other side sends the pieces and ends."""
    ours, theirs = socket.socketpair()

    def send() -> None:
        with theirs, suppress(BrokenPipeError):
            for piece in pieces:
                theirs.sendall(piece)

    sender = threading.Thread(target=send)
    sender.start()
    with ours:
        yield ours
    sender.join()


@pytest.mark.parametrize(
    "pieces",
    [
        [b"$7\r\nREDIS 1"],
        [b"\n", b"\n\n$7\r\nRE", b"DIS 1"],
        [b"$EOF:" + MARK + b"\r\nREDIS 1" + MARK],
        [b"\n$EOF:" + MARK + b"\r\n", b"REDIS 1mm", MARK[2:]],
    ],
)
def test_a_snapshot_is_read_in_both_frames_whatever_its_pieces(pieces: list[bytes]) -> None:
    with answering(*pieces) as sock:
        assert b"".join(body_of(sock)) == b"REDIS 1"


@pytest.mark.parametrize(
    "piece", [b"", b"$7\r\nREDI", b"$EOF:" + MARK + b"\r\nREDIS" + MARK[1:], b"+OK\r\n", b"x" * 300]
)
def test_an_answer_that_ends_early_or_is_no_snapshot_is_an_error(piece: bytes) -> None:
    with answering(piece) as sock, pytest.raises(ConnectionError):
        list(body_of(sock))


def test_a_refusal_is_told_in_the_words_of_the_server() -> None:
    with answering(b"-NOPERM this user may not\r\n") as sock, pytest.raises(redis.ResponseError, match="may not"):
        list(body_of(sock))


def test_a_snapshot_tells_its_length_its_digest_and_its_server(redis_server: RedisServer, tmp_path: Path) -> None:
    with redis.Redis(port=redis_server.port) as client:
        client.config_set("repl-diskless-sync-delay", 0)
        client.set("key", "v" * 100_000)
        found = take_snapshot(redis_server.url, tmp_path / "redis.rdb")
        client.flushall()
    data = (tmp_path / "redis.rdb").read_bytes()
    assert data.startswith((b"REDIS", b"VALKEY"))
    assert (found.bytes, found.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert found.server.startswith("valkey ")


def test_a_disk_that_takes_no_more_is_not_taken_for_a_server_that_is_away(redis_server: RedisServer) -> None:
    with pytest.raises(OSError, match="exists"):
        take_snapshot(redis_server.url, Path("/dev/full"))


def test_a_server_that_is_silent_is_told_so() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.01)
        with pytest.raises(ConnectionError, match="timed out"):
            list(body_of(ours))


def test_a_server_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="broke off"):
        take_snapshot(f"redis://127.0.0.1:{free_port()}/0", tmp_path / "redis.rdb")
    assert not (tmp_path / "redis.rdb").exists()
