import base64
import os
from pathlib import Path

import pytest

from sandbox.errors import Unseen
from sandbox.fetch import decode_data_uri, fetched
from sandbox.settings import SandboxSettings
from tests.fakes.media_files import served

SETTINGS = SandboxSettings(max_media_bytes=100_000, fetch_timeout_seconds=1.0)
DATA = bytes(range(256)) * 40


def reason(source: str, settings: SandboxSettings = SETTINGS) -> str:
    with pytest.raises(Unseen) as caught, fetched(source, settings=settings):
        pass
    return str(caught.value)


def test_a_url_is_fetched_into_a_file_that_is_gone_afterwards(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    with served(tmp_path) as base, fetched(f"{base}/a.bin", settings=SETTINGS) as file:
        assert file.path.read_bytes() == DATA
        assert (file.byte_count, file.media_type) == (len(DATA), "application/octet-stream")
    assert not file.path.exists()


def test_a_redirect_is_followed_and_a_circle_is_not(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    with served(tmp_path) as base:
        with fetched(f"{base}/moved/a.bin", settings=SETTINGS) as file:
            assert file.byte_count == len(DATA)
        assert reason(f"{base}/loop") == "it redirects too often"


def test_a_base64_data_uri_is_decoded() -> None:
    uri = f"data:Image/PNG;base64,{base64.b64encode(DATA).decode()}"
    with fetched(uri, settings=SETTINGS) as file:
        assert (file.path.read_bytes(), file.media_type) == (DATA, "image/png")


def test_each_way_not_to_reach_a_medium_has_its_reason(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    (tmp_path / "none.bin").write_bytes(b"")
    small = SandboxSettings(max_media_bytes=100)
    with served(tmp_path) as base:
        assert reason(f"{base}/missing") == "its server answered HTTP 404"
        assert reason(f"{base}/none.bin") == "it is empty"
        assert reason(f"{base}/cut/a.bin") == "the connection broke while it arrived"
        assert reason(f"{base}/a.bin", small) == "it is larger than 100 bytes"
        assert reason(f"{base}/drip/a.bin").startswith("timeout")
        assert reason(f"{base}/silent").startswith("timeout")
    assert reason(f"{base}/a.bin") == "its server refuses the connection"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("file:///etc/passwd", "only http and https"),
        ("ftp://127.0.0.1/a", "only http and https"),
        ("file_id:file-1", "no files are kept"),
        ("http://", "malformed"),
        ("http://[::1", "malformed"),
        ("http://127.0.0.1:99999999/", "malformed"),
        ("http://\ud800/", "malformed"),
        ("data:image/png;base64", "empty"),
        ("data:,abcd", "no base64 data URI"),
        ("data:image/png;base64,@@@@", "not valid base64"),
        ("data:image/png;base64,YQ=", "not valid base64"),
        ("data:;base64,", "empty"),
        ("data:;base64,\ud800", "not valid base64"),
    ],
)
def test_what_is_no_address_of_a_medium_is_refused_with_its_reason(source: str, words: str) -> None:
    assert words in reason(source)


@pytest.mark.parametrize("byte_count", [101, 103, 1_000])
def test_data_beyond_the_bound_is_refused_and_up_to_it_is_not(byte_count: int) -> None:
    def uri(byte_count: int) -> str:
        return f"data:;base64,{base64.b64encode(b'x' * byte_count).decode()}"

    assert decode_data_uri(uri(100), max_bytes=100) == (None, b"x" * 100)
    with pytest.raises(Unseen, match="larger than 100 bytes"):
        decode_data_uri(uri(byte_count), max_bytes=100)


def test_a_proxy_of_the_environment_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.bin").write_bytes(DATA)
    monkeypatch.setitem(os.environ, "http_proxy", "http://127.0.0.1:1")
    with served(tmp_path) as base, fetched(f"{base}/a.bin", settings=SETTINGS) as file:
        assert file.byte_count == len(DATA)
