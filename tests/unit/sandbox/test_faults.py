import pytest

from sandbox.errors import Refused
from sandbox.faults import KNOWN, Fault, fault_text, parse_fault


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", Fault()),
        ("status=429;retry_after=2;times=3", Fault(status=429, retry_after="2", times=3)),
        ("status=429, retry_after=2", Fault(status=429, retry_after="2")),
        (" hang ; ", Fault(hang=True)),
        ("message=first, second;status=400", Fault(message="first, second", status=400)),
        (
            "retry_after=Wed, 21 Oct 2026 07:28:00 GMT;status=503",
            Fault(retry_after="Wed, 21 Oct 2026 07:28:00 GMT", status=503),
        ),
        ("stream=no_done+float_times;cut=middle", Fault(stream=frozenset({"no_done", "float_times"}), cut="middle")),
        ("lost;queued=2", Fault(lost=True, queued=2.0)),
        ("poll_status=503;poll_times=2", Fault(poll_status=503, poll_times=2)),
        ("delay=0.5,drip=2,huge=10,every=2", Fault(delay=0.5, drip=2.0, huge=10, every=2)),
    ],
)
def test_a_list_is_read_into_a_fault(text: str, fault: Fault) -> None:
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["explode", "status=429;explode=1", "=", "Status=429"])
def test_an_unknown_entry_is_refused_with_all_that_are_known(text: str) -> None:
    with pytest.raises(Refused) as caught:
        parse_fault(text)
    assert caught.value.status == 400
    assert all(name in caught.value.message for name in KNOWN)


@pytest.mark.parametrize(
    "text",
    [
        *("status", "status=199", "status=600", "status=x", "delay=-1", "delay=nan", "delay=3601", "delay="),
        *("hang=1", "cut=", "cut=now", "json=nan", "shape=round", "huge=0", "times=-1", "every=0", "media=lax"),
        *("stream=", "stream=no_done+fast", "code=;x", "retry_after=a\nb", "retry_after=é", "body=xml"),
        *("lost=1", "queued=x", "poll_status=200", "poll_times=-1"),
    ],
)
def test_a_wrong_value_is_refused_with_what_the_entry_takes(text: str) -> None:
    name = text.partition("=")[0]
    with pytest.raises(Refused, match=f"The sandbox fault {name} takes"):
        parse_fault(text)


def test_the_header_goes_before_metadata() -> None:
    body = {"metadata": {"sandbox": "hang"}}
    assert fault_text(None, body) == "hang"
    assert fault_text("stall", body) == "stall"
    assert [fault_text(None, other) for other in ({}, {"metadata": 3}, {"metadata": {"sandbox": 3}})] == ["", "", ""]


@pytest.mark.parametrize(
    ("fault", "due"),
    [
        (Fault(hang=True), [1, 2, 3, 4, 5, 6]),
        (Fault(hang=True, times=2), [1, 2]),
        (Fault(hang=True, times=0), []),
        (Fault(hang=True, every=3), [3, 6]),
        (Fault(hang=True, every=2, times=4), [2, 4]),
    ],
)
def test_times_and_every_say_which_calls_go_wrong(fault: Fault, due: list[int]) -> None:
    assert [calls for calls in range(1, 7) if fault.is_due(calls=calls)] == due


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        (Fault(), []),
        (Fault(poll_times=3), []),
        (Fault(poll_status=503), [1, 2, 3, 4]),
        (Fault(poll_status=503, poll_times=2), [1, 2]),
        (Fault(poll_status=503, poll_times=0), []),
    ],
)
def test_polls_fail_for_ever_or_so_many_times(fault: Fault, failing: list[int]) -> None:
    assert [polls for polls in range(1, 5) if fault.fails_poll(polls=polls)] == failing
