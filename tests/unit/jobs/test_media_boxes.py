import base64

import pytest

from jobs.media_boxes import box_seconds
from jobs.media_bytes import MediaBytes


def seconds(data: bytes) -> float | None:
    return box_seconds(MediaBytes("data:video/mp4;base64," + base64.b64encode(data).decode()))


def box(kind: bytes, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return (8 + len(data)).to_bytes(4, "big") + kind + data


def wide_box(kind: bytes, data: bytes) -> bytes:
    return b"\x00\x00\x00\x01" + kind + (16 + len(data)).to_bytes(8, "big") + data


def movie_header(*, scale: int, units: int, version: int = 0) -> bytes:
    size = 8 if version else 4
    moments = bytes(2 * size)
    head = bytes([version, 0, 0, 0])
    return box(b"mvhd", head, moments, scale.to_bytes(4, "big"), units.to_bytes(size, "big"), bytes(80))


def test_both_versions_of_the_header_tell_the_length() -> None:
    assert seconds(box(b"moov", movie_header(scale=600, units=900))) == 1.5
    assert seconds(box(b"moov", movie_header(scale=1, units=2**33, version=1))) == 2**33


def test_the_movie_may_stand_at_the_end_behind_boxes_of_every_size() -> None:
    movie = box(b"moov", box(b"free", bytes(5)), movie_header(scale=1000, units=2500))
    assert seconds(box(b"ftyp", b"isom") + wide_box(b"mdat", bytes(1001)) + movie) == 2.5
    assert seconds(box(b"ftyp", b"isom") + b"\x00\x00\x00\x00" + movie[4:]) == 2.5


def test_a_movie_in_fragments_tells_its_length_elsewhere() -> None:
    for version, size in ((0, 4), (1, 8)):
        fragments = box(b"mehd", bytes([version, 0, 0, 0]), (7000).to_bytes(size, "big"))
        movie = box(b"moov", movie_header(scale=1000, units=0), box(b"mvex", fragments))
        assert seconds(movie) == 7
    assert seconds(box(b"moov", movie_header(scale=1000, units=0), box(b"mvex"))) is None


@pytest.mark.parametrize(
    "data",
    [
        box(b"moov", movie_header(scale=0, units=5)),
        box(b"moov", movie_header(scale=1, units=2**32 - 1)),
        box(b"moov", movie_header(scale=1, units=2**64 - 1, version=1)),
        box(b"moov", movie_header(scale=1, units=5)[:20]),
        box(b"moov"),
        b"\x00\x00\x00\x07moov" + movie_header(scale=1, units=5),
        b"\x00\x00\x00\x01moov\x00\x00\x00\x00\x00\x00\x00\x0f" + movie_header(scale=1, units=5),
        box(b"ftyp") + b"\xff\xff\xff\xffmdat",
        b"",
    ],
)
def test_a_header_that_says_nothing_tells_none(data: bytes) -> None:
    assert seconds(data) is None
