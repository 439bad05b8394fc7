from datetime import datetime

import click
import pytest

from respool.moments import Moment, local, read, span


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 910.0), ("1min", 940.0), ("0.5m", 970.0), ("1795425300", 1795425300.0), ("1795425300.5", 1795425300.5),
        ("1970-01-01T01:00:00Z", 3600.0), ("1970-01-01T01:00:00+01:00", 0.0),
    ],
)  # fmt: skip
def test_a_time_is_read(text: str, seconds: float) -> None:
    assert read(text, now=1000.0) == seconds


def test_a_day_begins_in_the_time_of_this_machine() -> None:
    assert read("2026-11-23", now=0) == datetime(2026, 11, 23).timestamp()


@pytest.mark.parametrize("text", ["", "soon", "2h ago", "2026-13-01", "12", "-5"])
def test_what_is_no_time_is_wrong_usage(text: str) -> None:
    with pytest.raises(click.BadParameter, match="no time"):
        Moment().convert(text, None, None)


def test_a_time_that_no_calendar_has_is_shown_as_its_number() -> None:
    assert local(1e20) == "1e+20"
    assert local(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(119, "119 s"), (120, "2 min"), (7200, "2 h"), (172800, "2 d"), (0.4, "0 s")]
)
def test_a_span_has_the_largest_unit_that_fits_twice(seconds: float, text: str) -> None:
    assert span(seconds) == text
