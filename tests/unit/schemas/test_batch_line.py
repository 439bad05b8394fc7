from typing import Any

import pytest

from schemas.batch_line import UNRUN, answered, ended, refused, unrun
from schemas.error import error_body

NUMBER = "ab" * 16
RESPONSE = {"id": f"resp_{NUMBER}", "object": "response", "status": "completed"}


def end(status: str, **known: Any) -> dict[str, Any]:
    """The line of a job that ended so."""
    known = {"response": None, "error": None, "http_status": None} | known
    return ended(NUMBER, custom_id="a", status=status, **known)


def failed(code: str, *, http_status: int | None = None, retryable: bool = False) -> dict[str, Any]:
    return end("failed", error={"code": code, "message": "no", "retryable": retryable}, http_status=http_status)


@pytest.mark.parametrize("status", ["completed", "incomplete"])
def test_an_answer_is_the_response_as_it_is_polled(status: str) -> None:
    line = end(status, response=RESPONSE, http_status=200)
    assert line == {
        "id": f"batch_req_{NUMBER}",
        "custom_id": "a",
        "response": {"status_code": 200, "request_id": f"job_{NUMBER}", "body": RESPONSE},
        "error": None,
    }
    assert line == answered(NUMBER, custom_id="a", response=RESPONSE)


@pytest.mark.parametrize(
    ("code", "http_status", "retryable", "status_code", "type"),
    [
        ("InvalidParameter", 400, False, 400, "invalid_request_error"),
        ("QuotaExceeded", 429, True, 429, "rate_limit_error"),
        ("http_503", 503, True, 502, "server_error"),
        ("run_timeout", None, True, 504, "server_error"),
    ],
)
def test_a_failure_is_the_answer_that_a_caller_who_waited_would_have_got(
    code: str, http_status: int | None, retryable: bool, status_code: int, type: str
) -> None:
    line = failed(code, http_status=http_status, retryable=retryable)
    assert line["response"]["status_code"] == status_code
    assert line["response"]["request_id"] == f"job_{NUMBER}"
    assert line["response"]["body"] == {"error": {"message": "no", "type": type, "param": None, "code": code}}
    assert line["error"] is None


def test_what_was_not_run_in_time_or_was_cancelled_has_no_response() -> None:
    for line, code in ((failed("expired"), "batch_expired"), (end("cancelled"), "batch_cancelled")):
        assert line == unrun(NUMBER, custom_id="a", code=code)
        assert line["response"] is None
        assert line["error"] == {"code": code, "message": UNRUN[code]}


def test_a_request_that_was_refused_tells_why_in_the_protocols_words() -> None:
    body = error_body("model: is required", type="invalid_request_error", param="body.model", code="invalid_value")
    line = refused(NUMBER, custom_id="a", status_code=400, body=body)
    assert line["response"] == {"status_code": 400, "request_id": f"batch_req_{NUMBER}", "body": body}
    assert line["error"] is None
