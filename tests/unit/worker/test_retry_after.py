import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from worker.retry_after import seconds_named_in, seconds_to_moment_in, seconds_until, seconds_until_poll

NOW = 1_700_000_000.0  # 2023-11-14 22:13:20 UTC


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0), ("7", 7), ("1.5", 1.5), (" 3 ", 3), ("86400", 3600), ("9" * 400, None),
        ("-5", None), ("nan", None), ("inf", None), ("soon", None), ("", None), ("0x10", None), ("1,5", None),
    ],
)  # fmt: skip
def test_seconds_are_taken_up_to_an_hour_and_nonsense_is_none(text: str, seconds: float | None) -> None:
    assert seconds_until({"retry-after": text}, now=NOW) == seconds


@pytest.mark.parametrize(("ahead", "seconds"), [(30, 30), (-30, 0), (90_000, 3600)])
def test_an_http_date_is_counted_from_now(ahead: int, seconds: int) -> None:
    assert seconds_until({"retry-after": formatdate(NOW + ahead, usegmt=True)}, now=NOW) == seconds


@pytest.mark.parametrize("text", ["Tue Nov 14 22:13:50 2023", "Tue, 14 Nov 2023 22:13:50 -0000"])
def test_a_date_without_a_zone_is_utc_wherever_the_worker_is(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    try:
        assert seconds_until({"retry-after": text}, now=NOW) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


def test_milliseconds_come_first() -> None:
    assert seconds_until({"retry-after-ms": "250", "retry-after": "9"}, now=NOW) == 0.25
    assert seconds_until({"retry-after-ms": "soon", "retry-after": "9"}, now=NOW) == 9


def test_the_case_of_the_header_does_not_count() -> None:
    assert seconds_until(CaseInsensitiveDict({"Retry-After": "4"}), now=NOW) == 4


def test_no_header_is_none() -> None:
    assert seconds_until({}, now=NOW) is None


@given(st.one_of(st.text(), st.from_regex(r"\w{3}, \d{1,3} \w{3} \d{1,6} \d\d:\d\d:\d\d [+-]?\w{1,6}")))
def test_any_text_is_a_bounded_number_or_none(text: str) -> None:
    found = seconds_until({"retry-after": text, "retry-after-ms": text}, now=NOW)
    assert found is None or 0 <= found <= 3600


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("will reset at 2023-11-14 22:14:20 UTC", 60),
        ("reset_time: 2023-11-14T22:14:20Z", 60),
        ("reset at 2023-11-15 06:14:20+08:00", 60),
        ("reset at 2023-11-15T06:14:20+0800", 60),
        ("reset at 2023-11-14T22:13:20.500Z", 0.5),
        ("reset at 2022-01-01T00:00:00Z", 0),
        ("reset at 2099-01-01T00:00:00Z", 3600),
        ("reset at 2023-13-45 99:99:99", None),
        ("reset at 0001-01-01T00:00:00+23:59", 0),
        ("tomorrow", None),
    ],
)
def test_a_moment_in_a_message_is_found(text: str, seconds: float | None) -> None:
    assert seconds_to_moment_in(text, now=NOW) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 1.5s. Visit our page.", 1.5),
        ("try again in 6m0s", 360),
        ("Retry after 20ms", 0.02),
        ("resets at 2023-11-14T22:14:20Z, try again in 5s", 60),
        ("in 5s", None),
        ("try again later", None),
        ("", None),
    ],
)
def test_a_message_names_a_moment_or_a_span(text: str, seconds: float | None) -> None:
    assert seconds_named_in(text, now=NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"openai-poll-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"openai-poll-after-ms": "soon", "retry-after": "9"}, 9),
        ({"retry-after": "9"}, 9),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30),
        ({}, None),
    ],
)
def test_a_poll_is_asked_for_in_milliseconds_or_as_any_retry(headers: dict[str, str], seconds: float | None) -> None:
    assert seconds_until_poll(headers, now=NOW) == seconds
