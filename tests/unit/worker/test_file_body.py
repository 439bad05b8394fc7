import base64
import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from worker.file_body import PIECE_BYTES, DataUri, FileBody, Source, names_files, with_files

FIRST, SECOND = "file-" + "1" * 32, "file-" + "2" * 32


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def uri_of(path: Path, stack: ExitStack, data: bytes, kind: str = "video/mp4") -> DataUri:
    path.write_bytes(data)
    return DataUri(media_type=kind, size=len(data), file=stack.enter_context(path.open("rb")))


def written(data: bytes, kind: str = "video/mp4") -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def filled(request: dict[str, Any], sources: dict[str, Source]) -> FileBody:
    return with_files(request, sources.__getitem__, lambda file_id: f"{file_id[-1]}.pdf")


def sent(body: FileBody) -> Any:
    """The request as the endpoint reads it; the announced length must be that of the bytes."""
    data = b"".join(body)
    assert len(data) == len(body)
    return json.loads(data)


@pytest.mark.parametrize("size", [0, 1, 2, 3, PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 5 * PIECE_BYTES + 2])
def test_a_data_uri_in_pieces_is_that_of_the_whole(size: int, tmp_path: Path, opened: ExitStack) -> None:
    data = bytes(n % 251 for n in range(size))
    uri = uri_of(tmp_path / "f", opened, data)
    pieces = list(uri)
    assert b"".join(pieces).decode() == written(data)
    assert len(uri) == len(written(data))
    assert max(map(len, pieces)) <= PIECE_BYTES * 4 // 3


@pytest.mark.parametrize(
    ("kind", "data_field", "url_field"),
    [
        ("input_image", "image_url", "image_url"),
        ("input_video", "video_url", "video_url"),
        ("input_audio", "audio_url", "audio_url"),
        ("input_file", "file_data", "file_url"),
    ],
)
def test_a_file_takes_the_place_of_its_id_as_data_or_as_address(
    kind: str, data_field: str, url_field: str, tmp_path: Path, opened: ExitStack
) -> None:
    def request() -> dict[str, Any]:
        return {"input": [{"content": [{"type": kind, "file_id": FIRST, data_field: None}]}]}

    as_data = sent(filled(request(), {FIRST: uri_of(tmp_path / "f", opened, b"abc")}))["input"][0]["content"][0]
    named = {"filename": "1.pdf"} if kind == "input_file" else {}
    assert as_data == {"type": kind, data_field: written(b"abc"), **named}
    part = sent(filled(request(), {FIRST: "https://x/y"}))["input"][0]["content"][0]
    assert (part[url_field], "file_id" in part, "filename" in part) == ("https://x/y", False, False)


def test_a_name_that_the_caller_gave_stays(tmp_path: Path, opened: ExitStack) -> None:
    request = {"input": [{"content": [{"type": "input_file", "file_id": FIRST, "filename": "mine"}]}]}
    body = filled(request, {FIRST: uri_of(tmp_path / "f", opened, b"abc")})
    assert sent(body)["input"][0]["content"][0]["filename"] == "mine"


def test_every_file_lands_where_it_was_named_whatever_the_order_of_the_text(tmp_path: Path, opened: ExitStack) -> None:
    first, second = uri_of(tmp_path / "1", opened, b"one"), uri_of(tmp_path / "2", opened, b"two!")
    part = {"type": "input_video", "fps": 2}
    request = {
        "instructions": [{"content": [part | {"file_id": SECOND}]}],
        "input": [{"content": [part | {"file_id": FIRST}, {"type": "input_text", "text": 'ü 😀 \\ " \u2028'}]}] * 1
        + [{"type": "function_call_output", "output": [part | {"file_id": SECOND}, part | {"file_id": FIRST}]}],
    }
    found = sent(filled(json.loads(json.dumps(request)), {FIRST: first, SECOND: second}))
    one, two = (part | {"video_url": written(data)} for data in (b"one", b"two!"))
    assert found["instructions"][0]["content"] == [two]
    assert found["input"][0]["content"] == [one, request["input"][0]["content"][1]]
    assert found["input"][1]["output"] == [two, one]


def test_a_body_can_be_gone_over_again(tmp_path: Path, opened: ExitStack) -> None:
    request = {"input": [{"content": [{"type": "input_image", "file_id": FIRST}]}]}
    body = filled(request, {FIRST: uri_of(tmp_path / "f", opened, b"abc" * PIECE_BYTES)})
    assert b"".join(body) == b"".join(body)


def test_a_file_that_shrank_is_no_shorter_request(tmp_path: Path, opened: ExitStack) -> None:
    uri = uri_of(tmp_path / "f", opened, b"abcdef")
    (tmp_path / "f").write_bytes(b"abc")
    with pytest.raises(OSError, match="shorter"):
        list(uri)


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b'{"file_id":"%s"}' % FIRST.encode(), True),
        (b'{"file_id":"file-abc"}', False),
        (b'{"input":"look at %s"}' % FIRST.encode(), False),
        (b"{}", False),
    ],
)
def test_most_requests_are_seen_to_name_no_file_without_being_read(body: bytes, named: bool) -> None:
    assert names_files(body) is named
