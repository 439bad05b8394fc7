import json

import pytest
import requests

from jobs.lanes import lane_of
from jobs.record import Stage
from tests.factories import MODEL
from tests.unit.worker.conftest import Shop

LANE = lane_of(MODEL)


def blocked(shop: Shop) -> str:
    """Why the dispatcher passes over the lane now."""
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    return (shop.bench.client.hget(f"{{respool}}:lane:{LANE}", "blocked") or b"").decode()


@pytest.mark.parametrize("stream", [False, True])
def test_an_answer_completes_the_job(stream: bool, shop: Shop, sandbox: str) -> None:
    job = shop.run(stream=stream)
    assert (job.status, job.error, job.attempts_spent) == ("completed", None, 1)
    assert job.response is not None
    assert (job.response["id"], job.response["status"]) == (job.response_id, "completed")
    assert job.usage == job.response["usage"]
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["delivery"], attempt["http_status"]) == ("completed", "answered", 200)
    assert attempt["upstream_request_id"].startswith("req_")
    assert attempt["upstream_response_id"] != job.response_id
    assert attempt["usage"] == job.usage
    raw = json.loads(shop.bench.store.raw_response(job.number) or b"")
    assert raw["id"] == attempt["upstream_response_id"]
    assert shop.bench.slots(LANE) == set()


def test_the_endpoint_sees_the_jobs_id_as_idempotency_key_and_the_body_as_it_was_kept(shop: Shop, sandbox: str) -> None:
    job = shop.run()
    calls = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
    (call,) = [call for call in calls if call["idempotency_key"] == job.id]
    assert call["body_keys"] == ["model", "input", "stream", "metadata"]


def test_a_large_body_is_read_apart_and_sent_whole(shop: Shop, sandbox: str) -> None:
    body = json.dumps({"model": MODEL, "input": "x" * 200_000, "stream": False}).encode()
    number = shop.bench.submit(body=body)
    shop.take()
    shop.rest()
    assert shop.bench.job(number).status == "completed"
    calls = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
    assert [c["body_bytes"] for c in calls if c["idempotency_key"] == f"job_{number}"] == [len(body)]


def test_an_answer_cut_off_by_the_token_bound_is_incomplete(shop: Shop) -> None:
    body = json.dumps({"model": MODEL, "input": "hello", "stream": False, "max_output_tokens": 2}).encode()
    number = shop.bench.submit(body=body)
    shop.take()
    shop.rest()
    job = shop.bench.job(number)
    assert job.status == "incomplete"
    assert job.response is not None
    assert job.response["incomplete_details"] == {"reason": "max_output_tokens"}


@pytest.mark.parametrize(
    ("fault", "code", "delivery", "billed"),
    [
        ("status=500", "InternalServiceError", "answered", True),
        ("status=502;body=html", "http_502", "answered", True),
        ("status=408", "RequestTimeout", "answered", True),
        ("body=html", "upstream_answer_invalid", "answered", True),
        ("body=empty", "upstream_answer_invalid", "answered", True),
        ("json=broken", "upstream_answer_invalid", "answered", True),
        ("shape=array", "upstream_answer_invalid", "answered", True),
        ("shape=string", "upstream_answer_invalid", "answered", True),
        ("shape=empty_object", "upstream_answer_invalid", "answered", True),
        ("shape=wrong", "upstream_answer_invalid", "answered", True),
        ("shape=status_in_progress", "upstream_answer_invalid", "answered", True),
        ("shape=status_unknown", "upstream_answer_invalid", "answered", True),
        ("shape=error_in_200", "InternalServiceError", "answered", True),
        ("shape=status_failed", "server_error", "answered", True),
        ("cut=before", "connection_cut", "sent", True),
        ("cut=middle", "connection_cut", "sent", True),
        ("hang", "upstream_timeout", "sent", True),
        ("stall", "upstream_timeout", "sent", True),
        ("huge=2000000", "upstream_answer_too_large", "sent", True),
    ],
)
def test_a_passing_fault_spends_an_attempt_and_puts_the_job_back(
    fault: str, code: str, delivery: str, billed: bool, shop: Shop
) -> None:
    job = shop.run(fault)
    assert (job.status, job.attempts_spent) == ("queued", 1)
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["error"]["code"]) == ("failed", code)
    assert (attempt["delivery"], attempt["may_be_billed"]) == (delivery, billed)
    assert shop.bench.slots(LANE) == set()


@pytest.mark.parametrize("fault", ["shape=bare", "shape=null_output", "shape=no_output", "drip=0.1"])
def test_an_odd_but_readable_answer_completes_the_job(fault: str, shop: Shop) -> None:
    job = shop.run(fault)
    assert job.status == "completed"
    assert job.response is not None
    assert isinstance(job.response["output"], list)


def test_the_last_attempt_ends_the_job_and_says_that_asking_again_may_help(shop: Shop) -> None:
    job = shop.run("status=500;message=boom", max_attempts=1)
    assert job.status == "failed"
    assert job.error == {"code": "InternalServiceError", "message": "boom", "retryable": True}


@pytest.mark.parametrize("fault", ["hang", "cut=middle", "json=broken"])
def test_an_unknown_outcome_ends_the_job_that_wants_it_so(fault: str, shop: Shop) -> None:
    job = shop.run(fault, on_unknown="fail")
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("outcome_unknown", True)


def test_a_permanent_refusal_ends_the_job(shop: Shop) -> None:
    job = shop.run("status=400;code=InputTextSensitiveContentDetected;message=no")
    assert job.status == "failed"
    assert job.error == {"code": "InputTextSensitiveContentDetected", "message": "no", "retryable": False}
    assert json.loads(shop.bench.store.raw_response(job.number) or b"")["error"]["message"] == "no"
    assert not job.attempts[0]["may_be_billed"]


def test_a_medium_that_did_not_come_three_times_is_given_up(shop: Shop) -> None:
    number = shop.submit("status=400;code=InvalidParameter;message=Error while downloading: http://a.example/x")
    for _ in range(3):
        shop.bench.make_due("delayed")
        shop.bench.sweep()
        shop.take()
        shop.rest()
    job = shop.bench.job(number)
    assert job.error is not None
    assert (job.status, job.error["code"], len(job.attempts)) == ("failed", "failed_to_download", 3)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("status=429;code=AccountRateLimitExceeded;retry_after=30", "AccountRateLimitExceeded"),
        ("status=429;code=ServerOverloaded;retry_after=30", "ServerOverloaded"),
        ("status=401;code=AuthenticationError", "AuthenticationError"),
        ("status=403;code=AccountOverdueError", "AccountOverdueError"),
        ("status=404;code=ModelNotOpen", "ModelNotOpen"),
        ("status=404;body=html", "http_404"),
    ],
)
def test_what_is_the_lanes_fault_spends_nothing_and_stops_the_lane(fault: str, reason: str, shop: Shop) -> None:
    job = shop.run(fault)
    assert (job.status, job.stage, job.attempts_spent) == ("queued", Stage.WAITING, 0)
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["may_be_billed"]) == ("snoozed", False)
    assert blocked(shop) == f"lane_paused: {reason}"


def test_a_call_beyond_its_time_is_hung_up_and_says_so(shop: Shop) -> None:
    number = shop.submit("delay=1000", run_timeout_seconds=0.1)
    shop.take()
    shop.calls.hang_up_overdue()
    while shop.crew.held:
        shop.calls.hang_up_overdue()
    job = shop.bench.job(number)
    assert (job.status, job.attempts_spent) == ("queued", 1)
    assert job.attempts[0]["error"] == {
        "code": "run_timeout", "message": "the call took longer than run_timeout_seconds (0.1)"
    }  # fmt: skip


def test_a_failed_response_that_is_final_keeps_its_own_code_and_what_it_said(shop: Shop) -> None:
    # The sandbox's failed Response says server_error, which passes; a stream's error event says a code of its own.
    job = shop.run("stream=error_event", stream=True, max_attempts=1)
    assert job.error is not None
    assert (job.status, job.error["code"]) == ("failed", "InternalServiceError")


@pytest.mark.parametrize("how", ["cancelled", "cancelled and forgotten"])
def test_a_job_that_is_gone_before_it_was_sent_is_not_called_and_leaves_its_slot(
    how: str, shop: Shop, sandbox: str
) -> None:
    number = shop.submit()
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (claim,) = shop.bench.claim("w1")
    shop.bench.store.cancel(number, project=None)
    if how != "cancelled":
        shop.bench.store.delete(number, project=None)
    shop.attempts.make(claim)
    calls = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
    assert not [call for call in calls if call["idempotency_key"] == f"job_{number}"]
    assert shop.bench.slots(LANE) == set()
    assert shop.bench.workers.held_by("w1") == set()


def test_a_job_that_another_worker_runs_by_now_is_not_called_and_stays_there(shop: Shop) -> None:
    number = shop.submit()
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (claim,) = shop.bench.claim("w1")
    shop.bench.kill("w1")
    shop.bench.sweep()
    shop.bench.client.delete("{respool}:dispatcher")
    shop.bench.beat("w2")
    shop.bench.dispatch("w2")
    (other,) = shop.bench.claim("w2")
    shop.attempts.make(claim)
    job = shop.bench.job(number)
    assert (job.status, other.attempt) == ("in_progress", 2)
    assert [attempt["outcome"] for attempt in job.attempts] == ["lost", "running"]
    assert shop.bench.workers.held_by("w2") == {number}
