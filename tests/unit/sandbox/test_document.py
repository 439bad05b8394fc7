import hashlib
from pathlib import Path

import pytest

from sandbox.document import look_into_document
from sandbox.fetch import Fetched


def fetched(path: Path, data: bytes, media_type: str | None = None) -> Fetched:
    path.write_bytes(data)
    return Fetched(path=path, byte_count=len(data), media_type=media_type)


def test_a_text_has_its_lines_words_and_digest(tmp_path: Path) -> None:
    data = "one two\nthree\n四\n".encode()
    facts = look_into_document(fetched(tmp_path / "f", data), filename="notes.txt")
    assert (facts.media_type, facts.byte_count, facts.filename) == ("text/plain", len(data), "notes.txt")
    assert (facts.characters, facts.lines, facts.words) == (16, 3, 4)
    assert facts.sha256_start == hashlib.sha256(data).hexdigest()[:12]


def test_a_file_that_is_no_text_has_no_lines_and_costs_by_length(tmp_path: Path) -> None:
    facts = look_into_document(fetched(tmp_path / "f", bytes(range(256))), filename=None)
    assert (facts.media_type, facts.lines, facts.words, facts.tokens) == ("application/octet-stream", None, None, 4)


@pytest.mark.parametrize(
    ("data", "sent_as", "filename", "media_type"),
    [
        (b"%PDF-1.7\n\xff\x00", "text/html", "a.txt", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n\x00", None, None, "image/png"),
        (b"PK\x03\x04\x00", None, "a.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (b"PK\x03\x04\x00", None, None, "application/zip"),
        (b"a,b\n1,2\n", None, "a.csv", "text/csv"),
        (b"a,b\n1,2\n", "text/csv", "a.txt", "text/csv"),
        (b"hello", "application/octet-stream", None, "text/plain"),
    ],
)
def test_the_type_is_told_by_the_bytes_then_the_sender_then_the_name(
    tmp_path: Path, data: bytes, sent_as: str | None, filename: str | None, media_type: str
) -> None:
    assert look_into_document(fetched(tmp_path / "f", data, sent_as), filename=filename).media_type == media_type
