"""Bringing a medium to this machine: an http(s) URL is fetched, a data URI decoded, into a file for a while."""

import base64
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import requests
import urllib3

from sandbox.errors import Unseen
from sandbox.settings import SandboxSettings

CHUNK_BYTES = 64 * 1024
REDIRECTS_MAX = 5
CONNECT_TIMEOUT_SECONDS = 5.0
READ_TIMEOUT_SECONDS = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A medium as a file. `media_type` is what the sender calls it, in lower case, or None."""

    path: Path
    byte_count: int
    media_type: str | None


@contextmanager
def fetched(source: str, *, settings: SandboxSettings) -> Iterator[Fetched]:
    """The medium behind an http(s) URL or data URI; its file is gone afterwards.

    Raises Unseen, which says why, when it cannot be had, is empty, too large or too slow.
    """
    with tempfile.NamedTemporaryFile(prefix="sandbox-") as file:
        if source[:5].lower() == "data:":
            media_type, data = decode_data_uri(source, max_bytes=settings.max_media_bytes)
            file.write(data)
        elif source[:7].lower() == "http://" or source[:8].lower() == "https://":
            media_type = _download(source, file, settings=settings)
        elif source.startswith("file_id:"):
            raise Unseen("no files are kept here, so a file_id leads nowhere")
        else:
            raise Unseen("only http and https URLs and data URIs can be reached")
        file.flush()
        if file.tell() == 0:
            raise Unseen("it is empty")
        yield Fetched(path=Path(file.name), byte_count=file.tell(), media_type=media_type)


def decode_data_uri(uri: str, *, max_bytes: int) -> tuple[str | None, bytes]:
    """The media type and bytes of a base64 `data:` URI. Raises Unseen when it is malformed or holds too much."""
    head, _, payload = uri[5:].partition(",")
    if not head.lower().endswith(";base64"):
        raise Unseen("it is no base64 data URI")
    if len(payload) // 4 * 3 > max_bytes + 2:
        raise _too_large(max_bytes)
    try:
        data = base64.b64decode(payload, validate=True)
    except ValueError as error:
        raise Unseen("it is not valid base64") from error
    if len(data) > max_bytes:
        raise _too_large(max_bytes)
    return head.partition(";")[0].strip().lower() or None, data


def _download(url: str, file: IO[bytes], *, settings: SandboxSettings) -> str | None:
    deadline = time.monotonic() + settings.fetch_timeout_seconds
    timeout = (
        min(CONNECT_TIMEOUT_SECONDS, settings.fetch_timeout_seconds),
        min(READ_TIMEOUT_SECONDS, settings.fetch_timeout_seconds),
    )
    with requests.Session() as session:
        session.trust_env = False  # a proxy of the environment would also be asked for media on loopback
        session.max_redirects = REDIRECTS_MAX
        if settings.fetch_proxy:
            session.proxies = {"http": settings.fetch_proxy, "https": settings.fetch_proxy}
        try:
            with session.get(url, stream=True, timeout=timeout, headers={"Accept-Encoding": "identity"}) as answer:
                _save(answer, file, deadline=deadline, max_bytes=settings.max_media_bytes)
                return answer.headers.get("Content-Type", "").partition(";")[0].strip().lower() or None
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
            raise Unseen(_reason(error)) from error


def _save(answer: requests.Response, file: IO[bytes], *, deadline: float, max_bytes: int) -> None:
    if answer.status_code != 200:
        raise Unseen(f"its server answered HTTP {answer.status_code}")
    declared = answer.headers.get("Content-Length", "")
    if declared.isdigit() and int(declared) > max_bytes:
        raise _too_large(max_bytes)
    # read1 hands over what has come; iter_content would wait for a full chunk and so not see the deadline.
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        file.write(chunk)
        if file.tell() > max_bytes:
            raise _too_large(max_bytes)
        if time.monotonic() > deadline:
            raise Unseen("timeout: it did not arrive in time")
    if declared.isdigit() and answer.raw.tell() < int(declared):
        raise Unseen("the connection broke while it arrived")


def _too_large(max_bytes: int) -> Unseen:
    return Unseen(f"it is larger than {max_bytes} bytes")


def _reason(error: Exception) -> str:
    match error:
        case requests.Timeout() | urllib3.exceptions.ReadTimeoutError():
            return "timeout: its server did not answer in time"
        case requests.exceptions.SSLError():
            return "its server's certificate could not be trusted"
        case requests.TooManyRedirects():
            return "it redirects too often"
        case requests.exceptions.InvalidSchema():
            return "it redirects to what is neither http nor https"
        case requests.exceptions.InvalidURL() | UnicodeError():
            return "its URL is malformed"
        case urllib3.exceptions.HTTPError():
            return "the connection broke while it arrived"
        case requests.ConnectionError():
            return _connection_reason(error)
        case _:
            return "it could not be fetched"


def _connection_reason(error: requests.ConnectionError) -> str:
    cause = str(error)
    if "NameResolutionError" in cause or "Failed to resolve" in cause:
        return "its host name could not be resolved"
    if "Connection refused" in cause:
        return "its server refuses the connection"
    return "no connection to its server"
