import base64
import struct

import pytest

from jobs.media_bytes import MediaBytes
from jobs.media_elements import element_seconds

HEAD = b"\x1a\x45\xdf\xa3\x80"
UNKNOWN = b"\x01\xff\xff\xff\xff\xff\xff\xff"


def seconds(data: bytes) -> float | None:
    return element_seconds(MediaBytes("data:video/webm;base64," + base64.b64encode(data).decode()))


def element(kind: str, *inside: bytes) -> bytes:
    data = b"".join(inside)
    return bytes.fromhex(kind) + (1 << 28 | len(data)).to_bytes(4, "big") + data


def info(*inside: bytes) -> bytes:
    return HEAD + element("18538067", element("1549a966", *inside))


def length(units: float, form: str = ">d") -> bytes:
    return element("4489", struct.pack(form, units))


def scale(nanoseconds: int) -> bytes:
    return element("2ad7b1", nanoseconds.to_bytes(3, "big"))


def test_a_length_is_in_milliseconds_unless_another_unit_is_said() -> None:
    assert seconds(info(length(2500))) == 2.5
    assert seconds(info(length(2500, ">f"))) == 2.5
    assert seconds(info(length(25), scale(10_000_000))) == 0.25
    assert seconds(info(scale(1000), length(2_000_000))) == 2


def test_a_segment_may_be_of_a_size_that_is_not_known() -> None:
    assert seconds(HEAD + b"\x18\x53\x80\x67" + UNKNOWN + element("1549a966", length(4000))) == 4


def test_what_stands_before_the_header_is_passed_over() -> None:
    before = element("114d9b74", bytes(30)) + b"\xec\x83abc"
    assert seconds(HEAD + element("18538067", before, element("1549a966", length(4000)))) == 4


@pytest.mark.parametrize(
    "data",
    [
        HEAD,
        info(),
        info(scale(1000)),
        info(element("4489", b"abc")),
        info(element("4489")),
        info(length(5), scale(0)),
        info(length(5), element("2ad7b1")),
        HEAD + b"\x18\x53\x80\x67" + UNKNOWN + b"\x00" * 20,
        HEAD + element("18538067", b"\x15\x49"),
    ],
)
def test_a_header_that_says_nothing_tells_none(data: bytes) -> None:
    assert seconds(data) is None


def test_recordings_without_a_length_tell_none() -> None:
    assert seconds(HEAD + element("18538067", element("1549a966", scale(1)), element("1f43b675", length(5)))) is None
