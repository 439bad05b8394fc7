import pytest

from api.store_errors import refusal_of
from jobs import errors
from jobs.headroom import Headroom, Room


def over(seconds: float) -> errors.OverLimit:
    room = Headroom(requests=Room(limit=10, remaining=0, reset_seconds=seconds))
    return errors.OverLimit("tokens_per_day", "5000", retry_after_seconds=seconds, headroom=room)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.StoreUnavailable("x"), 503, "store_unavailable"),
        (errors.RecordTooNew("job_x"), 503, "record_too_new"),
        (errors.DurabilityUnconfirmed("x"), 503, "durability_unconfirmed"),
        (errors.QueueFull("1"), 429, "queue_full"),
        (over(1), 429, "tokens_per_day"),
        (errors.IdempotencyConflict("job_1"), 422, "idempotency_key_reused"),
        (errors.IdempotencyGone("job_1"), 422, "idempotency_job_gone"),
        (errors.JobNotFound("1"), 404, "job_not_found"),
        (errors.LaneNotFound("a:b"), 404, "lane_not_found"),
        (errors.ProjectNotFound("film"), 404, "project_not_found"),
        (errors.JobNotEnded("1"), 400, "job_not_ended"),
        (errors.JobNotFailed("completed"), 400, "job_not_failed"),
        (errors.CursorNotFound("1"), 400, "invalid_value"),
        (errors.EndpointNotFound("we_1"), 404, "webhook_endpoint_not_found"),
        (errors.EndpointDisabled("we_1"), 400, "endpoint_disabled"),
        (errors.EndpointDeleted("we_1"), 400, "endpoint_deleted"),
        (errors.TooManyEndpoints("50"), 400, "too_many_endpoints"),
        (errors.DeliveryNotFound("1"), 404, "webhook_delivery_not_found"),
        (errors.DeliveryOpen("sending"), 400, "delivery_open"),
        (errors.TooManySecrets(5, retry_after_seconds=90.5), 429, "too_many_secrets"),
        (errors.CursorExpired("1-1"), 410, "cursor_expired"),
        (errors.CursorMalformed("x"), 400, "invalid_value"),
    ],
)
def test_each_error_of_the_store_has_its_answer(error: errors.StoreError, status: int, code: str) -> None:
    refusal = refusal_of(error)
    problem = refusal.body["error"]
    assert isinstance(problem, dict)
    assert (refusal.status, problem["code"]) == (status, code)
    assert ("Retry-After" in refusal.headers) == (status in (429, 503))


def test_an_error_that_no_caller_can_cause_is_none_of_theirs() -> None:
    with pytest.raises(errors.KeyNotFound):
        refusal_of(errors.KeyNotFound("key_1"))


def test_a_limit_says_its_bound_and_when_to_come_again() -> None:
    refusal = refusal_of(over(90.2))
    assert str(refusal) == "This would take the project beyond its tokens_per_day of 5000; try again in 1m31s."
    assert refusal.headers["Retry-After"] == "91"
    assert refusal.headers["x-should-retry"] == "false"
    assert refusal.headers["x-ratelimit-remaining-requests"] == "0"
    assert "x-should-retry" not in refusal_of(over(60)).headers
