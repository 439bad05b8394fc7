import io

from hypothesis import given
from hypothesis import strategies as st

from jobs.batches.input_file import CHUNK_BYTES, RawLine, in_pieces, read_lines

LINES = st.lists(st.binary(max_size=12).map(lambda data: data.replace(b"\n", b"")), max_size=12)


def test_lines_are_counted_with_the_empty_ones_and_know_where_they_end() -> None:
    data = b'{"a":1}\r\n\n  {"b":2} \n{"c":3}'
    assert list(read_lines(io.BytesIO(data), most_bytes=100)) == [
        RawLine(line=1, end=9, data=b'{"a":1}'),
        RawLine(line=2, end=10, data=b""),
        RawLine(line=3, end=21, data=b'{"b":2}'),
        RawLine(line=4, end=28, data=b'{"c":3}'),
    ]


def test_one_that_is_too_long_is_passed_over_and_not_held() -> None:
    data = b"x" * (3 * CHUNK_BYTES) + b"\nshort\n" + b"y" * 11
    found = list(read_lines(io.BytesIO(data), most_bytes=10))
    assert [(raw.line, raw.data) for raw in found] == [(1, None), (2, b"short"), (3, None)]
    assert found[-1].end == len(data)


def test_one_of_just_the_size_that_may_be_is_taken() -> None:
    (raw,) = read_lines(io.BytesIO(b"x" * 10 + b"\r\n"), most_bytes=10)
    assert raw.data == b"x" * 10


@given(LINES, st.booleans())
def test_reading_goes_on_from_any_line_as_if_it_had_never_stopped(lines: list[bytes], ends: bool) -> None:
    data = b"\n".join(lines) + b"\n" * ends
    whole = list(read_lines(io.BytesIO(data), most_bytes=8))
    for place, raw in enumerate(whole):
        rest = read_lines(io.BytesIO(data), most_bytes=8, line=raw.line, offset=raw.end)
        assert list(rest) == whole[place + 1 :]
    assert (whole[-1].end if whole else 0) == len(data)


def test_a_piece_holds_so_many_lines_or_bytes() -> None:
    lines = list(read_lines(io.BytesIO(b"1\n2\n3\n" + b"x" * 20 + b"\n5\n"), most_bytes=100))
    pieces = in_pieces(iter(lines), most_lines=2, most_bytes=10)
    assert [[raw.line for raw in piece] for piece in pieces] == [[1, 2], [3, 4], [5]]
    assert list(in_pieces(iter([]), most_lines=2, most_bytes=10)) == []
