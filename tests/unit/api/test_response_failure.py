from dataclasses import replace
from typing import Any

import pytest

from api.response_failure import refusal_of
from jobs.record import FIELDS, Job, read_job

VALUES: dict[str, bytes] = {"project": b"p", "status": b"failed", "stage": b"ended", "finished": b"1"}


def job(*, http_status: int | None = None, retryable: bool = False, **changes: Any) -> Job:
    made = read_job("0" * 32, [VALUES.get(name) for name in FIELDS], [])
    error = {"code": "Odd", "message": "no", "retryable": retryable}
    attempts = [{"number": 1}, {"number": 2, "http_status": http_status}]
    return replace(made, **{"error": error, "attempts": attempts} | changes)


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
