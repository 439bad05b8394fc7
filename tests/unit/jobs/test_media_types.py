from pathlib import Path

import pytest

from jobs.media_types import HEAD_BYTES, media_type
from tests.fakes.media_files import RED, make_clip, make_picture, make_tone


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"GIF89a\x01\x00", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00AVI LIST", "video/x-msvideo"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00\x36", "image/bmp"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x1cftypavif", "image/avif"),
        (b"\x00\x00\x00\x20ftypM4A ", "audio/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"\x00\x00\x00\x08moov", "video/quicktime"),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00", "audio/mpeg"),
        (b"\xff\xf1\x50\x80", "audio/aac"),
        (b"fLaC\x00", "audio/flac"),
        (b"OggS\x00", "audio/ogg"),
        (b"G" + b"\x00" * 187 + b"G", "video/mp2t"),
    ],
)
def test_bytes_say_what_they_are_whatever_the_name_says(head: bytes, kind: str) -> None:
    assert media_type(head, "notes.txt") == kind


def test_real_media_are_known_by_their_content(tmp_path: Path) -> None:
    made = {
        make_clip(tmp_path / "a.mp4"): "video/mp4",
        make_clip(tmp_path / "a.webm", codec="libvpx"): "video/webm",
        make_clip(tmp_path / "a.mkv"): "video/x-matroska",
        make_clip(tmp_path / "a.mov"): "video/quicktime",
        make_picture(tmp_path / "a.png", RED): "image/png",
        make_picture(tmp_path / "a.jpg", RED): "image/jpeg",
        make_tone(tmp_path / "a.wav"): "audio/wav",
    }
    assert {path.name: media_type(path.read_bytes()[:HEAD_BYTES], "x") for path in made} == {
        path.name: kind for path, kind in made.items()
    }


@pytest.mark.parametrize(
    ("filename", "kind"),
    [
        ("notes.txt", "text/plain"),
        ("Notes.TXT", "text/plain"),
        ("data.json", "application/json"),
        ("../a b.csv", "text/csv"),
        ("notes", "application/octet-stream"),
        ("notes.nothing", "application/octet-stream"),
        ("notes.txt.gz", "application/octet-stream"),
        ("", "application/octet-stream"),
        (".", "application/octet-stream"),
        ("http://x/y.txt", "text/plain"),
    ],
)
@pytest.mark.parametrize("head", [b"", b"\xff", b"hello", b"BMW and so on", b"Good morning"])
def test_what_bytes_do_not_say_the_name_does(head: bytes, filename: str, kind: str) -> None:
    assert media_type(head, filename) == kind
