import pytest

from worker.calls import CANCELLED, OUT_OF_TIME, SUPERSEDED, Call
from worker.errors import BrokenAnswer, CallError, Cut, FileGone, HungUp, Stalled, TooLarge, Unreachable, UpstreamLost
from worker.outcome import Problem, of_error, of_hanging_up
from worker.refusals import Kind


def hung_up(why: str, *, heard: Call | None = None, sent: bool = True, goes_on: bool = False) -> Problem:
    ended = HungUp(why, sent=sent, goes_on=goes_on)
    return of_hanging_up(ended, heard=heard or Call(seconds=1.5), seconds=1.5)


@pytest.mark.parametrize(
    "error",
    [
        Cut("cut", sent=True), Stalled("stalled", sent=True), TooLarge("large", sent=True),
        BrokenAnswer("broken", sent=True), HungUp("out_of_time", sent=True),
        UpstreamLost("lost", sent=True),
    ],
)  # fmt: skip
def test_a_call_that_broke_off_after_the_request_may_be_billed(error: CallError) -> None:
    found = of_error(error)
    assert (found.kind, found.delivery, found.code) == (Kind.TRANSIENT, "sent", error.code)
    assert found.unknown
    assert found.may_be_billed


def test_a_call_that_reached_nobody_costs_nothing_and_is_the_endpoints_fault() -> None:
    found = of_error(Unreachable("nobody there", sent=False))
    assert (found.kind, found.delivery, found.may_be_billed, found.unknown) == (Kind.ENDPOINT, "not_sent", False, False)


def test_a_call_that_ran_out_of_time_says_how_much_it_had() -> None:
    found = hung_up(OUT_OF_TIME)
    assert (found.code, found.message) == ("run_timeout", "the call took longer than run_timeout_seconds (1.5)")


@pytest.mark.parametrize("why", [CANCELLED, SUPERSEDED])
def test_a_call_that_was_called_off_says_no_more_than_is_known(why: str) -> None:
    found = hung_up(why)
    assert (found.code, found.may_be_billed) == ("called_off", True)
    assert found.message == "the call was called off: its job had ended or a later attempt at it had begun"


def test_a_call_that_was_hung_up_before_it_was_sent_costs_nothing() -> None:
    found = of_error(HungUp("cancelled", sent=False))
    assert (found.delivery, found.may_be_billed, found.unknown) == ("not_sent", False, False)


def test_a_call_that_broke_off_keeps_what_was_heard_of_it() -> None:
    heard = Call(seconds=1)
    heard.hears(http_status=200, request_id="r1")
    heard.response = {"id": "resp_1"}
    broken = of_error(Cut("cut", sent=True), heard=heard)
    for found in (broken, hung_up(OUT_OF_TIME, heard=heard), hung_up(CANCELLED, heard=heard)):
        assert (found.http_status, found.request_id, found.upstream) == (200, "r1", {"id": "resp_1"})


def test_what_goes_on_upstream_is_not_charged_to_the_attempt_that_let_go_of_it() -> None:
    assert not hung_up(SUPERSEDED, goes_on=True).may_be_billed
    assert hung_up(CANCELLED).may_be_billed


def test_a_problem_says_what_the_error_says() -> None:
    assert of_error(Cut("the connection was cut", sent=True)).message == "the connection was cut"


def test_a_file_that_is_gone_is_final_and_costs_nothing() -> None:
    found = of_error(FileGone("no such file", sent=False))
    assert (found.kind, found.code, found.may_be_billed) == (Kind.PERMANENT, "file_not_found", False)
