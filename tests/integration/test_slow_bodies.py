"""Callers whose bodies drip, over sockets: they are let go in time, and who is only slow is not."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.lingering import MOST_SECONDS
from api.paced import PIECE_BYTES
from tests.factories import MODEL
from tests.fakes.processes import running_api
from tests.fakes.redis_server import running_redis
from tests.fuzz.raw_caller import post

PIECE_SECONDS = 1.0
"""Of tests.fakes.hasty_api."""

DRIP_SECONDS = 0.1
PATIENCE_SECONDS = PIECE_SECONDS + MOST_SECONDS + 5
FORM = (
    b'--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
)
UPLOAD = "Content-Type: multipart/form-data; boundary=edge"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def base(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        settings = {
            "RESPOOL_REDIS_URL": server.url,
            "RESPOOL_API_KEY": "known",
            "RESPOOL_FILES_FOLDER": str(folder),
            "WEB_CONCURRENCY": "1",
        }
        with running_api(tmp_path_factory.mktemp("api"), settings, app="tests.fakes.hasty_api:app") as address:
            yield address


def drip(base: str, begun: bytes, drop: bytes = b" ") -> tuple[bytes, float]:
    """All that is heard by who sends on a drop at a time until the other side closes, and after how many seconds."""
    begin, data = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 80)) as connection:
        connection.sendall(begun)
        connection.settimeout(DRIP_SECONDS)
        while time.monotonic() - begin < PATIENCE_SECONDS:
            try:
                connection.sendall(drop)
                if not (piece := connection.recv(65536)):
                    return data, time.monotonic() - begin
                data += piece
            except TimeoutError:
                pass
            except ConnectionError:
                return data, time.monotonic() - begin
    raise AssertionError(f"nobody hung up; {data!r}")


def upload(*headers: str, length: int) -> bytes:
    whole = post(FORM, *headers, key="known", path="/v1/files", length=length)
    return whole.replace(b"Content-Type: application/json", UPLOAD.encode())


@pytest.mark.parametrize(
    ("begun", "drop"),
    [
        (post(b"{", key="known", length=1_000_000), b" "),
        (post(b"1\r\n{\r\n", "Transfer-Encoding: chunked", key="known", length=-1), b"1\r\n \r\n"),
        (upload(length=1_000_000), b"x"),
    ],
    ids=["a job", "a job in chunks", "a file"],
)
def test_a_body_that_drips_is_a_408_and_the_connection_closes(base: str, begun: bytes, drop: bytes) -> None:
    answer, seconds = drip(base, begun, drop)
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in head.lower()
    error = json.loads(body)["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "body_too_slow", None)
    assert PIECE_SECONDS <= seconds < PATIENCE_SECONDS


def test_of_a_file_that_dripped_nothing_is_left(base: str, folder: Path) -> None:
    answer, _ = drip(base, upload(length=1_000_000), b"x")
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert [path for path in folder.rglob("*") if path.is_file() and path.stat().st_size] == []


def test_who_drips_without_a_key_is_let_go_as_fast(base: str) -> None:
    answer, seconds = drip(base, post(b"{", key="none", length=1_000_000))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert seconds < PATIENCE_SECONDS


def test_a_body_whose_pieces_come_in_time_may_take_longer_than_one_of_them(base: str) -> None:
    body = json.dumps({"request": {"model": MODEL, "input": "x" * 4 * PIECE_BYTES}}).encode()
    whole = post(body, key="known")
    begin, pause = time.monotonic(), PIECE_SECONDS / 8
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 80), timeout=PATIENCE_SECONDS) as connection:
        for at in range(0, len(whole), PIECE_BYTES // 4):
            connection.sendall(whole[at : at + PIECE_BYTES // 4])
            time.sleep(pause)  # this caller's own pace
        assert connection.recv(65536).startswith(b"HTTP/1.1 202 ")
    assert time.monotonic() - begin > 1.5 * PIECE_SECONDS
