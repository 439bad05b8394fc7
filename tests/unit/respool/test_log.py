import io
import os

from respool.log import Log
from tests.fakes.waiting import wait_until


def test_every_line_carries_the_name_of_its_writer_in_a_column_of_one_width() -> None:
    stream = io.StringIO()
    log = Log(stream)
    log.join("a-rather-long-name")
    log.write("api", "one")
    assert stream.getvalue() == "api                | one\n"


def test_lines_are_copied_until_the_source_ends_even_without_a_last_newline() -> None:
    stream = io.StringIO()
    log = Log(stream)
    reading, writing = os.pipe()
    log.relay("api", os.fdopen(reading, "rb"))
    os.write(writing, b"first\r\nsecond \xff")
    os.close(writing)
    wait_until(lambda: "second" in stream.getvalue())
    assert stream.getvalue().splitlines() == ["api      | first", "api      | second \N{REPLACEMENT CHARACTER}"]


def test_the_source_is_emptied_even_if_nobody_reads_the_log_any_more() -> None:
    reading, writing = os.pipe()

    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Log(Gone()).relay("api", os.fdopen(reading, "rb"))
    line = b"x" * 1023 + b"\n"
    for _ in range(256):
        os.write(writing, line)
    os.close(writing)


def test_there_are_no_colours_where_there_is_no_terminal() -> None:
    stream = io.StringIO()
    Log(stream).write("api", "one")
    assert "\x1b" not in stream.getvalue()


def test_a_terminal_gets_colours() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    log = Log(stream)
    log.join("api")
    log.write("api", "one")
    assert stream.getvalue().startswith("\x1b[36m")
