import logging

import pytest
import redis

from jobs import keys
from jobs.log_context import said
from tests.unit.api.conftest import Caller

TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


def kept(client: redis.Redis, job: dict[str, str]) -> list[bytes | None]:
    found: list[bytes | None] = client.hmget(keys.job(job["id"].removeprefix("job_")), "request_id", "traceparent")
    return found


def test_a_job_keeps_by_which_request_it_came_and_as_part_of_which_trace(
    alice: Caller, store_client: redis.Redis
) -> None:
    alice.headers |= {"X-Request-Id": "mine", "traceparent": TRACEPARENT}
    assert kept(store_client, alice.job()) == [b"mine", TRACEPARENT.encode()]


@pytest.mark.parametrize("given", [None, "", "00-0-0-0", "x" * 10_000])
def test_a_traceparent_that_is_none_counts_for_nothing(
    given: str | None, alice: Caller, store_client: redis.Redis
) -> None:
    alice.headers |= {"X-Request-Id": "mine"} | ({"traceparent": given} if given is not None else {})
    assert kept(store_client, alice.job()) == [b"mine", None]


def test_one_request_does_not_leave_its_trace_to_the_next(alice: Caller, store_client: redis.Redis) -> None:
    alice.submit(headers={"traceparent": TRACEPARENT})
    job = alice.submit().json
    assert kept(store_client, job)[1] is None


def test_that_a_job_was_accepted_is_a_line_about_it_and_its_request(alice: Caller) -> None:
    heard: list[dict[str, str | int]] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append({"message": record.getMessage(), **said()})

    logger, listener = logging.getLogger("api.submission"), Listener()
    logger.addHandler(listener)
    before = logger.level
    logger.setLevel(logging.INFO)
    try:
        alice.headers |= {"X-Request-Id": "mine", "Idempotency-Key": "k"}
        job, again = alice.job(), alice.job()
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)
    assert job["id"] == again["id"]
    facts = {"request_id": "mine", "job_id": job["id"], "project": "alice"}
    assert heard == [
        {"message": f"{job['id']} accepted", **facts},
        {"message": f"{job['id']} had been accepted before", **facts},
    ]
