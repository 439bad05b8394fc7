import json
import time
from email.utils import parsedate_to_datetime

import pytest

from sandbox.error_payload import error_payload
from sandbox.faults import parse_fault


@pytest.mark.parametrize(
    ("fault", "status", "code", "message"),
    [
        ("status=429", 429, "RateLimitExceeded.EndpointRPMExceeded", "The sandbox was asked to answer 429."),
        ("status=429;code=ServerOverloaded;message=too, much", 429, "ServerOverloaded", "too, much"),
        ("status=500", 500, "InternalServiceError", "The sandbox was asked to answer 500."),
        ("status=401", 401, "AuthenticationError", "The sandbox was asked to answer 401."),
        ("body=json", 200, "InternalServiceError", "The sandbox was asked to answer 200."),
        ("status=418;stream=int_codes", 418, 500, "The sandbox was asked to answer 418."),
    ],
)
def test_an_error_has_the_status_code_and_message_asked_for(
    fault: str, status: int, code: object, message: str
) -> None:
    sent = error_payload(parse_fault(fault))
    error = json.loads(sent.pieces[0])["error"]
    assert (sent.status, error["code"], error["message"]) == (status, code, message)
    assert sorted(error) == ["code", "message", "param", "type"]


@pytest.mark.parametrize(
    ("body", "content_type", "start"),
    [("html", "text/html", b"<html>"), ("text", "text/plain", b"The"), ("empty", "text/plain", b"")],
)
def test_a_body_may_be_of_another_kind(body: str, content_type: str, start: bytes) -> None:
    sent = error_payload(parse_fault(f"status=502;body={body}"))
    assert sent.content_type.startswith(content_type)
    assert sent.pieces[0].startswith(start)
    assert (sent.pieces[0] == b"") is (body == "empty")


def test_retry_after_is_sent_as_it_stands_or_as_a_date_from_now() -> None:
    assert error_payload(parse_fault("status=429;retry_after=soon")).headers == (("Retry-After", "soon"),)
    ((_, value),) = error_payload(parse_fault("status=429;retry_after=date:3600")).headers
    assert parsedate_to_datetime(value).timestamp() - time.time() == pytest.approx(3_600, abs=30)
    assert error_payload(parse_fault("status=429")).headers == ()


def test_a_status_that_has_no_body_gets_none() -> None:
    assert error_payload(parse_fault("status=204")).pieces == (b"",)
