import json
from email.utils import formatdate
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from worker.calls import Call
from worker.event_stream import LastState
from worker.judgement import ended_response, of_answer, of_refused_poll, of_unfit
from worker.outcome import Outcome, Problem, Responded
from worker.rate_headers import Rate, Rates
from worker.refusals import Kind
from worker.responses_client import Answer

NOW = 1_700_000_000.0
OUTPUT = [{"type": "message", "content": []}]


def answer(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    """An answer with `body`: bytes as they are, anything else as JSON."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(http_status=status, headers=CaseInsensitiveDict(headers or {}), body=data)


def judged(body: Any, *, status: int = 200, headers: dict[str, str] | None = None) -> Outcome:
    return of_answer(answer(body, status=status, headers=headers), now=NOW)


def problem(outcome: Outcome) -> Problem:
    assert isinstance(outcome, Problem)
    return outcome


def responded(outcome: Outcome) -> Responded:
    assert isinstance(outcome, Responded)
    return outcome


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed"])
def test_an_ended_response_is_kept_as_it_was_sent(status: str) -> None:
    body = json.dumps({"status": status, "output": OUTPUT, "extra": "é"}, indent=2).encode()
    found = responded(judged(body, headers={"X-Request-Id": "r1"}))
    assert (found.status, found.raw, found.http_status, found.request_id) == (status, body, 200, "r1")
    assert found.upstream["extra"] == "é"


def test_a_response_that_the_upstream_cancelled_has_failed() -> None:
    assert responded(judged({"status": "cancelled", "output": []})).status == "failed"


@pytest.mark.parametrize("body", [{"output": OUTPUT}, {"status": None, "output": []}])
def test_an_output_without_a_status_is_complete(body: dict[str, Any]) -> None:
    assert responded(judged(body)).status == "completed"


@pytest.mark.parametrize("body", [{"status": "completed"}, {"status": "completed", "output": None}])
def test_a_status_without_output_is_taken(body: dict[str, Any]) -> None:
    assert responded(judged(body)).status == "completed"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"text"', b"null", b"<html>hello</html>", b"\xff\xfe", b"[" * 100_000, b"{}",
        b'{"status": "queued"}', b'{"status": "in_progress", "output": []}', b'{"status": ["completed"]}',
        b'{"status": "completed", "output": {"text": "no list"}}', b'{"status": "done", "output": []}', b'{"id": 1}',
    ],
)  # fmt: skip
def test_a_success_that_is_no_ended_response_is_invalid_and_may_be_billed(body: bytes) -> None:
    found = problem(judged(body))
    assert (found.kind, found.code) == (Kind.TRANSIENT, "upstream_answer_invalid")
    assert found.unknown
    assert found.may_be_billed
    assert found.delivery == "answered"


def test_an_error_inside_a_success_is_judged_by_its_code() -> None:
    found = problem(judged({"error": {"code": "ServerOverloaded", "message": "busy"}}))
    assert (found.kind, found.code, found.message) == (Kind.OVERLOAD, "ServerOverloaded", "busy")
    assert found.may_be_billed


@pytest.mark.parametrize("body", [{"error": "it broke"}, {"error": {"message": "it broke"}}])
def test_an_error_without_a_code_keeps_its_text(body: dict[str, Any]) -> None:
    assert problem(judged(body)).message == "it broke"
    assert problem(judged(body, status=502)).code == "http_502"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("server_error", Kind.TRANSIENT), ("rate_limit_exceeded", Kind.RATE), ("InternalServiceError", Kind.TRANSIENT),
        ("ServerOverloaded", Kind.OVERLOAD), ("failed_to_download_image", Kind.MEDIA),
    ],
)  # fmt: skip
def test_a_failed_response_with_an_error_that_passes_is_tried_again(code: str, kind: Kind) -> None:
    found = problem(judged({"status": "failed", "output": [], "error": {"code": code, "message": "m"}}))
    assert (found.kind, found.code, found.may_be_billed) == (kind, code, True)


@pytest.mark.parametrize("code", ["invalid_prompt", "image_too_large", "content_policy", "SomethingNew", None, 500])
def test_a_failed_response_with_any_other_error_is_final(code: object) -> None:
    body = {"status": "failed", "output": [], "error": {"code": code, "message": "m"}}
    assert responded(judged(body)).status == "failed"


def test_a_failed_response_without_a_reason_is_final() -> None:
    assert responded(judged({"status": "failed", "output": [], "error": None})).status == "failed"


@pytest.mark.parametrize(
    ("status", "code", "kind", "billed"),
    [
        (400, "MissingParameter", Kind.PERMANENT, False), (401, "AuthenticationError", Kind.ACCOUNT, False),
        (429, "ServerOverloaded", Kind.OVERLOAD, False), (500, "InternalServiceError", Kind.TRANSIENT, True),
        (503, "", Kind.TRANSIENT, False), (404, "ModelNotOpen", Kind.ACCOUNT, False),
    ],
)  # fmt: skip
def test_a_refusal_tells_whether_it_may_have_cost_something(status: int, code: str, kind: Kind, billed: bool) -> None:
    found = problem(judged({"error": {"code": code, "message": "m"}}, status=status))
    assert (found.kind, found.may_be_billed, found.http_status) == (kind, billed, status)
    assert found.code == (code or f"http_{status}")
    assert not found.unknown


def test_a_refusal_carries_when_to_ask_again_and_its_request_id() -> None:
    found = problem(judged({"error": {}}, status=429, headers={"Retry-After": "9", "x-request-id": "r" * 500}))
    assert found.retry_after_seconds == 9
    assert found.request_id == "r" * 128


def test_a_page_of_a_proxy_is_a_passing_fault() -> None:
    found = problem(judged(b"<html>Bad gateway</html>", status=502))
    assert (found.kind, found.code, found.message) == (Kind.TRANSIENT, "http_502", "the endpoint answered 502")


def test_a_page_instead_of_an_endpoint_stops_the_lane() -> None:
    assert problem(judged(b"<html>Not here</html>", status=404)).kind is Kind.ACCOUNT


def test_a_long_error_is_shown_and_kept_only_in_part() -> None:
    found = problem(judged({"error": {"code": "x", "message": "m" * 100_000}}, status=400))
    assert len(found.message) == 500
    assert found.raw is not None
    assert len(found.raw) == 64 * 1024


def test_what_a_refusal_says_is_fit_for_a_log() -> None:
    found = problem(judged({"error": {"code": "a\nb" * 100, "message": "one\ntwo\x1b"}}, status=400))
    assert (len(found.code), found.code[:4], found.message) == (128, "a?ba", "one two ")


@pytest.mark.parametrize(
    ("body", "status", "unknown"),
    [
        ({"error": {}}, 408, True), ({"error": {}}, 502, True), ({"error": {}}, 504, True),
        (b"<html>", 500, True), (b"<html>", 503, False), (b"<html>", 529, True),
        ({"error": {}}, 500, False), ({"error": {}}, 503, False), (b"<html>", 409, False), (b"<html>", 429, False),
    ],
)  # fmt: skip
def test_what_stands_before_the_endpoint_cannot_know_whether_it_was_done(body: Any, status: int, unknown: bool) -> None:
    assert problem(judged(body, status=status)).unknown is unknown


def test_a_wrong_address_that_says_so_in_json_stops_the_lane() -> None:
    body = {"error": {"message": "Invalid URL", "type": "invalid_request_error", "param": None, "code": None}}
    assert problem(judged(body, status=404)).kind is Kind.ACCOUNT


def test_a_404_about_a_field_of_the_request_is_final() -> None:
    error = {"message": "no", "type": "invalid_request_error", "param": "previous_response_id"}
    assert problem(judged({"error": error}, status=404)).kind is Kind.PERMANENT


def test_a_number_as_code_is_text() -> None:
    assert problem(judged({"error": {"code": 500, "message": "m"}}, status=500)).code == "500"


def stream(**state: Any) -> Outcome:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict({"x-request-id": "r1"})
    return of_answer(Answer(http_status=200, headers=headers, stream=LastState(**state)), now=NOW)


def test_the_last_state_of_a_stream_is_a_response() -> None:
    found = responded(stream(response={"status": "completed", "output": OUTPUT, "extra": "é"}))
    assert found.raw == '{"status": "completed", "output": [{"type": "message", "content": []}], "extra": "é"}'.encode()
    assert found.request_id == "r1"


def test_an_error_in_a_stream_is_judged_by_its_code() -> None:
    found = problem(stream(error={"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}))
    assert (found.kind, found.message) == (Kind.RATE, "slow down")
    assert json.loads(found.raw or b"") == {"type": "error", "code": "rate_limit_exceeded", "message": "slow down"}


def test_an_error_in_a_stream_may_have_cost_something() -> None:
    assert problem(stream(error={"type": "error", "code": "ServerOverloaded", "message": "m"})).may_be_billed


@pytest.mark.parametrize(
    "unfit",
    [Answer(http_status=200, headers=CaseInsensitiveDict(), body=b'{"x": 1}'),
     Answer(http_status=200, headers=CaseInsensitiveDict(), stream=LastState(response={"x": 1})),
     Answer(http_status=200, headers=CaseInsensitiveDict(), stream=LastState(error={"x": 1}))],
)  # fmt: skip
def test_an_unfit_answer_is_kept_as_it_came_and_may_be_billed(unfit: Answer) -> None:
    found = of_unfit(unfit)
    assert (found.code, found.delivery, found.may_be_billed) == ("upstream_answer_invalid", "answered", True)
    assert json.loads(found.raw or b"") == {"x": 1}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ({"code": "InvalidParameter", "message": "bad fps"}, Kind.PERMANENT),
        ({"code": 400, "message": "bad"}, Kind.PERMANENT),
        ({"code": "503", "message": "busy"}, Kind.TRANSIENT),
        ({"code": "server_error"}, Kind.TRANSIENT),
        ({"message": "no code at all"}, Kind.TRANSIENT),
        ({"code": "odd", "message": "three letters"}, Kind.PERMANENT),
        ({"code": "5030", "message": "four digits"}, Kind.PERMANENT),
    ],
)
def test_an_error_in_a_successful_answer_is_what_its_code_says(error: dict[str, Any], kind: Kind) -> None:
    found = problem(judged({"error": error}))
    assert (found.kind, found.may_be_billed) == (kind, True)


@pytest.mark.parametrize(
    ("body", "billed", "unknown"),
    [
        (b"", False, False),
        (b"<html>Service unavailable</html>", False, False),
        (b"upstream connect error, reset reason: connection failure", False, False),
        (b"upstream connect error, reset reason: connection termination", True, True),
        ({"error": {"code": "service_unavailable", "message": "m"}}, False, False),
        ({"error": {"code": "InternalServiceError", "message": "m"}}, True, False),
    ],
)
def test_a_503_was_not_billed_unless_it_says_more_than_that(body: Any, billed: bool, unknown: bool) -> None:
    found = problem(judged(body, status=503))
    assert (found.kind, found.may_be_billed, found.unknown) == (Kind.TRANSIENT, billed, unknown)


RATE_HEADERS = {"x-ratelimit-limit-requests": "60", "x-ratelimit-remaining-requests": "0"}


def test_answers_and_refusals_carry_the_rates_that_they_tell() -> None:
    told = Rates(requests=Rate(limit=60, remaining=0))
    assert responded(judged({"status": "completed", "output": []}, headers=RATE_HEADERS)).rates == told
    assert problem(judged({"error": {}}, status=429, headers=RATE_HEADERS)).rates == told


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_a_response_has_ended_with_each_of_its_ends(status: str) -> None:
    body = {"status": status, "output": []}
    assert ended_response(answer(body)) == body


@pytest.mark.parametrize(
    ("body", "status"),
    [({"status": "queued"}, 200), ({"status": "in_progress", "output": []}, 200), (b"<html>", 200), (b"[]", 200),
     ({"error": {"code": "c"}}, 200), ({"status": "completed"}, 404), ({"status": "completed"}, 300)],
)  # fmt: skip
def test_anything_else_is_no_ended_response(body: Any, status: int) -> None:
    assert ended_response(answer(body, status=status)) is None


def test_a_stream_has_ended_with_its_last_state() -> None:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict()
    state = LastState(response={"status": "completed"})
    assert ended_response(Answer(http_status=200, headers=headers, stream=state)) == {"status": "completed"}


@pytest.mark.parametrize(
    ("status", "code"), [(401, "AuthenticationError"), (403, "Odd"), (402, ""), (403, "InternalServiceError")]
)
def test_a_poll_that_the_account_may_not_make_leaves_the_response_going_on(status: int, code: str) -> None:
    heard = Call(seconds=1)
    heard.response = {"id": "resp_1"}
    refused = answer({"error": {"code": code, "message": "m"}}, status=status, headers={"Retry-After": "9"})
    found = of_refused_poll(refused, heard=heard, now=NOW)
    assert (found.kind, found.code, found.goes_on) == (Kind.ACCOUNT, code or f"http_{status}", True)
    assert (found.delivery, found.may_be_billed, found.unknown) == ("sent", False, False)
    assert (found.upstream, found.retry_after_seconds) == ({"id": "resp_1"}, 9)


def test_an_answer_that_is_invalid_says_so_and_keeps_what_its_head_said() -> None:
    headers = {"x-request-id": "r1"}
    for body, message in (
        (b"[]", "a successful answer that is not a JSON object"),
        ({"status": "queued"}, "a successful answer that is no ended Response"),
    ):
        found = problem(judged(body, status=201, headers=headers))
        assert (found.message, found.http_status, found.request_id) == (message, 201, "r1")
    assert of_unfit(answer(b"")).message == "the endpoint's answer came but could not be read"


def test_a_refusal_was_answered_and_keeps_its_body_as_it_was_read() -> None:
    found = problem(judged({"error": {"code": "Odd"}, "id": "resp_1"}, status=400))
    assert (found.delivery, found.upstream) == ("answered", {"error": {"code": "Odd"}, "id": "resp_1"})
    assert problem(judged(b"<html>", status=400)).upstream == {}


def test_an_answer_that_sends_elsewhere_stops_the_lane_whatever_its_code() -> None:
    for body in ({"error": {"code": "Odd", "message": "m"}}, {"status": "completed", "output": []}):
        assert problem(judged(body, status=300)).kind is Kind.ACCOUNT


LATER = {"Retry-After": formatdate(NOW + 30, usegmt=True)}
OVERLOADED = {"code": "ServerOverloaded", "message": "m"}


@pytest.mark.parametrize(
    ("body", "status"),
    [({"error": OVERLOADED}, 429), ({"error": OVERLOADED}, 200),
     ({"status": "failed", "output": [], "error": OVERLOADED}, 200)],
)  # fmt: skip
def test_a_date_to_ask_again_at_is_counted_from_now_wherever_the_error_stands(body: Any, status: int) -> None:
    assert problem(judged(body, status=status, headers=LATER)).retry_after_seconds == 30


def test_a_date_counts_for_streams_and_polls_too() -> None:
    headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(LATER)
    streamed = of_answer(Answer(http_status=200, headers=headers, stream=LastState(error=OVERLOADED)), now=NOW)
    polled = of_refused_poll(answer({"error": {}}, status=401, headers=LATER), heard=Call(seconds=1), now=NOW)
    assert (problem(streamed).retry_after_seconds, polled.retry_after_seconds) == (30, 30)


def test_a_limit_that_starts_again_at_a_moment_is_counted_from_now() -> None:
    headers = RATE_HEADERS | {"x-ratelimit-reset-requests": str(NOW + 30)}
    told = Rates(requests=Rate(limit=60, remaining=0, reset_seconds=30.0))
    assert responded(judged({"status": "completed", "output": []}, headers=headers)).rates == told
    assert problem(judged({"error": {}}, status=429, headers=headers)).rates == told
