"""Bodies and requests that are none, byte by byte, to a running API: each is refused, and the process lives on.

RESPOOL_FUZZ=long sends more of what is drawn by lot; RESPOOL_FUZZ_SEED is another seed.
"""

import gzip
import json
import os
import random
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import psutil
import pytest

from tests.factories import MODEL
from tests.fakes.processes import running_api
from tests.fakes.redis_server import running_redis
from tests.fuzz.raw_caller import heard, post, tell

KEY = "fuzz-key"
SEED = int(os.environ.get("RESPOOL_FUZZ_SEED", "1"))
DRAWN = 3000 if os.environ.get("RESPOOL_FUZZ") == "long" else 60
GOOD = json.dumps({"request": {"model": MODEL, "input": "hello"}}).encode()
ZIPPED = gzip.compress(GOOD, mtime=0)
CHUNKED = ("Transfer-Encoding: chunked",)
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One process, which waits for a head no longer than a second."""
    folder = tmp_path_factory.mktemp("bodies")
    with running_redis(folder) as server:
        given = {"REDIS_URL": server.url, "API_KEY": KEY, "SECRET": "a secret of these tests alone"}
        environ = {f"RESPOOL_{name}": value for name, value in given.items()}
        environ |= {"WEB_CONCURRENCY": "1", "GUNICORN_CMD_ARGS": "--keep-alive 1"}
        with running_api(folder, environ) as base:
            before = serving(base)
            yield base
            assert serving(base) == before, "the same processes serve as at the beginning"


def serving(base: str) -> set[int]:
    """The processes that listen on the API's port."""
    port = urlsplit(base).port
    listening = psutil.Process().children(recursive=True)
    return {
        process.pid
        for process in listening
        if any(at.laddr.port == port for at in process.net_connections("tcp") if at.status == psutil.CONN_LISTEN)
    }


@pytest.fixture(autouse=True)
def lives(api: str) -> Iterator[None]:
    """After each test a job is taken."""
    yield
    assert tell(api, post(GOOD, key=KEY)) == [202]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b'{"request":{"model":"a","model":"b","input":"x"}}'),
        (400, b'{"request":{"model":"a","input":"x","temperature":NaN}}'),
        (400, b'{"request":{"model":"a","input":"x","temperature":-Infinity}}'),
        (400, b'{"request":{"model":"a","input":"x","temperature":1e999}}'),
        (400, b'{"request":{"model":"a","input":"\\ud800"}}'),
        (400, b'{"request":{"model":"a","input":"\\udc00\\ud800"}}'),
        (400, b'{"request":{"model":"a","input":"\xed\xa0\x80"}}'),
        (400, b"\xef\xbb\xbf" + GOOD),
        (400, GOOD.decode().encode("utf-16")),
        (400, b"[" * (10 * MIB)),
        (400, b'{"a":' * (2 * MIB)),
        (400, b"[" * (5 * MIB) + b"]" * (5 * MIB)),
        (400, b"[" + b"0," * (4 * MIB) + b"0]"),
        (400, b"9" * (10 * MIB)),
        (400, b'"' + b"\\" * (10 * MIB)),
        (400, GOOD[:-1]),
        (400, GOOD + b"\0"),
        (400, b""),
        (413, b" " * (32 * MIB) + GOOD),
    ],
    ids=lambda value: str(value[:24]) if isinstance(value, bytes) else str(value),
)
def test_a_body_that_is_no_json_of_one_meaning_is_refused(api: str, status: int, body: bytes) -> None:
    assert tell(api, post(body, key=KEY)) == [status]


@pytest.mark.parametrize(
    "body", [ZIPPED, ZIPPED[: len(ZIPPED) // 2], gzip.compress(b"0" * (10 * MIB), mtime=0), GOOD, b""]
)
def test_a_compressed_body_is_refused_unread_whole_or_cut_short(api: str, body: bytes) -> None:
    assert tell(api, post(body, "Content-Encoding: gzip", key=KEY)) == [415]


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\n{}\r\n0\r\n\r\n",
        b"-2\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}XX0\r\n\r\n",
        b"fffffffffffffffffffff\r\n{}",
        b"5\r\n{}\r\n0\r\n\r\n",
        b"2\r\n{}",
        b"\r\n\r\n",
        b"2;" + b"x" * 100_000 + b"\r\n{}\r\n0\r\n\r\n",
        b"1\r\n{\r\n" * 20_000 + b"x",
    ],
    ids=lambda chunks: str(chunks[:24]),
)
def test_chunks_that_are_framed_wrongly_are_refused_or_hung_up_on(api: str, chunks: bytes) -> None:
    statuses = tell(api, post(chunks, *CHUNKED, key=KEY, length=-1))
    assert len(statuses) <= 1
    assert set(statuses) <= {400, 413}


@pytest.mark.parametrize(
    "headers",
    [
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: -5",),
        ("Content-Length: 0x10",),
        ("Content-Length: " + "9" * 400,),
        ("Transfer-Encoding: chunked", "Content-Length: 5"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: \x0bchunked",),
        ("X: " + "y" * 100_000,),
        tuple(f"X-{n}: y" for n in range(1000)),
    ],
    ids=lambda headers: headers[0][:24],
)
def test_a_head_of_doubtful_meaning_is_refused(api: str, headers: tuple[str, ...]) -> None:
    (status,) = tell(api, post(GOOD, *headers, key=KEY, length=-1))
    assert status in (400, 413, 415, 431, 501)


def test_a_body_that_ends_early_is_no_job(api: str) -> None:
    assert tell(api, post(GOOD, key=KEY, length=len(GOOD) + 10)) == [400]


def test_what_follows_a_request_is_answered_in_its_turn_and_garbage_ends_the_connection(api: str) -> None:
    good = post(GOOD, key=KEY).replace(b"Connection: close\r\n", b"")
    assert tell(api, good * 3 + b"\x00\xff garbage\r\n\r\n" + good) == [202, 202, 202, 400]


def test_garbage_of_any_kind_is_no_error_of_ours(api: str) -> None:
    dice = random.Random(SEED)
    for _ in range(DRAWN):
        whole = post(GOOD, *dice.choice([(), CHUNKED, ("Expect: 100-continue",)]), key=KEY)
        at, size = dice.randrange(len(whole)), dice.randrange(1, 40)
        garbled = whole[:at] + dice.randbytes(size) + whole[at + dice.randrange(size) :]
        statuses = tell(api, dice.choice([garbled, garbled * 2, dice.randbytes(400) + b"\r\n\r\n"]))
        assert [status for status in statuses if status >= 500 and status != 501] == [], garbled


def test_a_head_that_drips_is_waited_for_no_longer_than_an_idle_connection(api: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(api).port or 80), timeout=20) as connection:
        connection.sendall(post(GOOD, key=KEY)[:40])
        assert heard(connection) == b""


def test_the_body_of_one_without_a_key_is_not_waited_for(api: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(api).port or 80), timeout=20) as connection:
        connection.sendall(post(b"{", key="none", length=1000))
        assert heard(connection).startswith(b"HTTP/1.1 401 ")


def test_bodies_that_drip_hold_up_nobody_else(api: str) -> None:
    dripping = [socket.create_connection(("127.0.0.1", urlsplit(api).port or 80)) for _ in range(200)]
    try:
        for connection in dripping:
            connection.sendall(post(b"{", key=KEY, length=1000))
        assert tell(api, post(GOOD, key=KEY)) == [202]
    finally:
        for connection in dripping:
            connection.close()
