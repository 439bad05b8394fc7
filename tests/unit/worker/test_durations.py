import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.durations import LONGEST_SECONDS, seconds_in

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("12ms", 0.012), ("1s", 1), ("6m0s", 360), ("1.5s", 1.5), ("2m59.5s", 179.5), ("59m1s", 3541),
        ("1h0m0s", 3600), ("2h", 3600), ("1d", 3600), ("0s", 0), ("250us", 0.00025), ("250µs", 0.00025),
        ("7", 7), ("0.25", 0.25), (" 3s ", 3), ("1700000030", 30), ("1600000000", 0),
    ],
)  # fmt: skip
def test_a_span_is_read_however_it_is_written_up_to_an_hour(text: str, seconds: float) -> None:
    assert seconds_in(text, now=NOW) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "s", "1x", "-1s", "1 s", "soon", "1s!", "0x10s", "nan", "1e9", "9" * 50, "1,5s"])
def test_anything_else_is_no_span(text: str) -> None:
    assert seconds_in(text, now=NOW) is None


@given(st.one_of(st.text(), st.from_regex(r"(\d{1,20}(\.\d+)?(ms|s|m|h|d)?){1,4}")))
def test_any_text_is_a_bounded_number_or_none(text: str) -> None:
    found = seconds_in(text, now=NOW)
    assert found is None or 0 <= found <= LONGEST_SECONDS
