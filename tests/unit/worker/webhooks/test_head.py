import http.client
import io

import pytest

from worker.webhooks.head import MOST_HEAD_BYTES, BoundedHead


def test_lines_are_read_as_they_come() -> None:
    head = BoundedHead(io.BytesIO(b"one\r\n\r\nthe body"))
    assert [head.readline(100), head.readline(100)] == [b"one\r\n", b"\r\n"]


def test_a_head_on_its_bound_is_read_and_one_beyond_it_is_not() -> None:
    line = b"a" * 1023 + b"\n"
    head = BoundedHead(io.BytesIO(line * 100))
    for _ in range(MOST_HEAD_BYTES // len(line)):
        assert head.readline(65537) == line
    with pytest.raises(http.client.HTTPException):
        head.readline(65537)


@pytest.mark.parametrize("cut", [b"", b"HTTP/1.1 200"])
def test_a_line_that_does_not_end_is_no_line(cut: bytes) -> None:
    with pytest.raises(http.client.HTTPException):
        BoundedHead(io.BytesIO(cut)).readline(100)
