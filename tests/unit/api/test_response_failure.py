from dataclasses import replace
from typing import Any

import pytest

from api.response_failure import refusal_of, status_of
from jobs.record import FIELDS, Job, read_job

VALUES: dict[str, bytes] = {"project": b"p", "status": b"failed", "stage": b"ended", "finished": b"1"}


def job(*, http_status: int | None = None, retryable: bool = False, **changes: Any) -> Job:
    made = read_job("0" * 32, [VALUES.get(name) for name in FIELDS], [])
    error = {"code": "Odd", "message": "no", "retryable": retryable}
    attempts = [{"number": 1}, {"number": 2, "http_status": http_status}]
    return replace(made, **{"error": error, "attempts": attempts} | changes)


@pytest.mark.parametrize(
    ("code", "http_status", "retryable", "status"),
    [
        ("expired", None, True, 504), ("run_timeout", 200, True, 504), ("upstream_timeout", None, True, 504),
        ("outcome_unknown", 429, True, 502), ("worker_lost", None, True, 502), ("connection_cut", 200, True, 502),
        ("upstream_unreachable", None, True, 502), ("upstream_answer_invalid", 200, False, 502),
        ("failed_to_download", 400, True, 400), ("file_not_found", None, False, 400),
        ("InvalidParameter", 400, False, 400), ("Odd", 403, False, 400), ("Odd", 404, False, 400),
        ("Odd", 422, False, 400), ("RateLimitExceeded.EndpointRPMExceeded", 429, True, 429),
        ("QuotaExceeded", 429, True, 429), ("http_408", 408, True, 504), ("http_504", 504, True, 504),
        ("http_409", 409, True, 502), ("http_425", 425, True, 502), ("InternalServiceError", 500, True, 502),
        ("http_503", 503, True, 502), ("rate_limit_exceeded", 200, True, 429), ("ServerOverloaded", 200, False, 429),
        ("server_error", 200, False, 502), ("InternalServiceError", 200, False, 502), ("Odd", 200, True, 502),
        ("invalid_prompt", 200, False, 400), ("SensitiveContentDetected", 200, False, 400), ("Odd", None, False, 400),
    ],
)  # fmt: skip
def test_each_failure_has_its_status(code: str, http_status: int | None, retryable: bool, status: int) -> None:
    assert status_of(code, http_status=http_status, retryable=retryable) == status


def test_the_last_attempt_decides_and_nobody_is_to_try_again_by_himself() -> None:
    refused = refusal_of(job(http_status=500, retryable=True), raw=None)
    assert (refused.status, refused.headers) == (502, {"x-should-retry": "false"})
    assert refused.body["error"] == {"message": "no", "type": "server_error", "param": None, "code": "Odd"}


def test_a_rate_limit_says_when_another_request_may_do_better() -> None:
    refused = refusal_of(job(http_status=429, retryable=True), raw=None)
    assert refused.headers == {"x-should-retry": "false", "Retry-After": "60"}
    assert "Retry-After" not in refusal_of(job(http_status=429, retryable=False), raw=None).headers


@pytest.mark.parametrize(
    ("raw", "param"),
    [
        (b'{"error": {"param": "input[0]"}}', "input[0]"), (b'{"error": {"param": 1}}', None),
        (b'{"error": "x"}', None), (b'{"error": {"param": ""}}', None), (b"[]", None), (b"<html>", None),
        (b"", None), (None, None),
    ],
)  # fmt: skip
def test_what_is_at_fault_is_told_as_the_endpoint_told_it(raw: bytes | None, param: str | None) -> None:
    error: Any = refusal_of(job(http_status=400), raw=raw).body["error"]
    assert error["param"] == param


def test_the_fault_of_the_endpoint_is_no_field_of_the_request() -> None:
    error: Any = refusal_of(job(http_status=500), raw=b'{"error": {"param": "x"}}').body["error"]
    assert error["param"] is None


def test_one_that_was_cancelled_is_no_server_error() -> None:
    refused = refusal_of(job(status="cancelled", error=None), raw=None)
    assert (refused.status, refused.headers) == (400, {"x-should-retry": "false"})
