import base64

from hypothesis import given
from hypothesis import strategies as st

from jobs.media_bytes import MediaBytes

HEADER = "data:video/mp4;base64,"


@given(data=st.binary(max_size=40), at=st.integers(-5, 50), count=st.integers(0, 50))
def test_any_part_is_what_the_whole_has_there(data: bytes, at: int, count: int) -> None:
    medium = MediaBytes(HEADER + base64.b64encode(data).decode())
    assert medium.size == len(data)
    assert medium.read(at, count) == (data[at : at + count] if at >= 0 else b"")


def test_numbers_are_read_from_either_end_and_never_in_part() -> None:
    medium = MediaBytes(HEADER + base64.b64encode(b"\x00\x01\x02").decode())
    assert (medium.number(1, 2), medium.little(1, 2)) == (0x0102, 0x0201)
    assert (medium.number(2, 2), medium.little(2, 2)) == (None, None)


@given(text=st.text())
def test_what_is_no_base64_reads_as_bytes_or_as_nothing(text: str) -> None:
    medium = MediaBytes(HEADER + text)
    assert len(medium.read(0, 12)) <= 12
    medium.number(3, 4)
