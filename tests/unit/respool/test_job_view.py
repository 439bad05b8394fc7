from typing import Any

import pytest

from respool.job_view import as_job_id, read_job


def document(**changes: Any) -> dict[str, Any]:
    return {
        "id": "job_1",
        "status": "completed",
        "model": "m",
        "created_at": 1.5,
        "attempts": [{}],
        "waiting_reason": None,
        "response": None,
        "error": None,
        "usage": None,
    } | changes


def message(*texts: str) -> dict[str, Any]:
    return {"type": "message", "content": [{"type": "output_text", "text": text} for text in texts]}


def test_the_text_is_that_of_all_messages_and_of_nothing_else() -> None:
    output = [
        {"type": "reasoning", "summary": []},
        message("one ", "two"),
        {"type": "function_call"},
        message(" three"),
    ]
    assert read_job(document(response={"output": output})).text == "one two three"


@pytest.mark.parametrize(
    ("status", "ended", "good"),
    [
        ("queued", False, False),
        ("in_progress", False, False),
        ("completed", True, True),
        ("incomplete", True, True),
        ("failed", True, False),
        ("cancelled", True, False),
    ],
)
def test_a_status_says_whether_the_job_ended_and_whether_there_is_an_answer(
    status: str, ended: bool, good: bool
) -> None:
    job = read_job(document(status=status))
    assert (job.ended, job.good) == (ended, good)


def test_why_is_the_error_or_the_bound_that_cut_the_answer_off() -> None:
    error = {"code": "expired", "message": "it waited too long", "retryable": True}
    assert read_job(document(error=error)).why == "expired: it waited too long"
    cut_off = {"output": [], "incomplete_details": {"reason": "max_output_tokens"}}
    assert read_job(document(response=cut_off)).why == "max_output_tokens"
    assert read_job(document()).why is None


@pytest.mark.parametrize(
    ("changes", "outlook"),
    [
        ({}, None),
        ({"waiting_reason": "no_worker"}, "no_worker"),
        ({"position": 3, "eta": {"p50_seconds": 40.4, "p90_seconds": 60}}, "position 3, starts in about 40 s"),
        ({"waiting_reason": "in_flight", "position": 1, "eta": None}, "in_flight, position 1"),
        ({"eta": {"p50_seconds": 119, "p90_seconds": 200}}, "starts in about 119 s"),
        ({"eta": {"p50_seconds": 3600, "p90_seconds": 7200}}, "starts in about 60 min"),
        ({"eta": {"p50_seconds": 7200, "p90_seconds": 7200}}, "starts in about 2 h"),
        ({"eta": {"p50_seconds": 259200, "p90_seconds": 259200}}, "starts in about 3 d"),
    ],
)
def test_a_queued_job_says_why_it_waits_and_for_how_long(changes: dict[str, Any], outlook: str | None) -> None:
    assert read_job(document(status="queued", **changes)).outlook == outlook


@pytest.mark.parametrize(
    "broken",
    [{}, document(response="text"), document(created_at="soon"), document(attempts=None), document(eta={"p50": 1})],
)
def test_what_is_no_job_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((AttributeError, KeyError, TypeError, ValueError)):
        read_job(broken)


def test_a_job_may_be_named_by_its_response() -> None:
    assert [as_job_id(name) for name in ("resp_1", "job_1", "x")] == ["job_1", "job_1", "x"]
