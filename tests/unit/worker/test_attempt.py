import json
import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.lanes import backlog_of, lane_of
from jobs.record import Stage
from tests.factories import MODEL
from tests.fakes.bench import running_bench
from tests.fakes.raw_server import http_answer, raw_server
from tests.fakes.redis_server import running_redis
from tests.unit.worker.conftest import Shop, attempts_at
from worker.calls import Call, Calls
from worker.responses_client import Answer, ResponsesClient

LANE = lane_of(MODEL)


def blocked(shop: Shop) -> str:
    """Why the dispatcher passes over the jobs now."""
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    return shop.bench.blocked(backlog_of(MODEL))


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


ODD = [
    rb'{"type": "message", "content": [{"type": "output_text", "text": "hi \ud83d"}]}',
    rb'{"type": "message", "\ud83d": NaN, "content": [{"type": "output_text", "text": "hi", "logprobs": [1e999]}]}',
    b'{"type": "message", "content": [], "x": ' + b"9" * 5000 + b"}",
]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("item", ODD)
def test_odd_values_in_an_answer_are_paid_for_once_and_handed_out_as_json(
    item: bytes, stream: bool, shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    usage = b'{"input_tokens": 1e300, "output_tokens": NaN, "output_tokens_details": {"reasoning_tokens": 1e300}}'
    odd = b'{"id": "r\\ud83d", "status": "completed", "output": [%s], "usage": %s}' % (item, usage)
    answer = http_answer(odd)
    if stream:
        answer = http_answer(b'data: {"type":"response.completed","response":%s}\n\n' % odd, kind="text/event-stream")
    with raw_server(answer) as server:
        number = made(shop, open_client(server.url))
    job = shop.bench.job(number)
    assert (job.status, job.error, len(job.attempts)) == ("completed", None, 1)
    assert json.dumps(job.response, allow_nan=False, ensure_ascii=False).encode()
    assert job.usage is not None
    assert job.usage["input_tokens"] == job.attempts[0]["usage"]["input_tokens"] == 10**12
    assert len(server.requests) == 1


def made(shop: Shop, client: ResponsesClient, **changes: Any) -> str:
    """The number of a job at which one attempt was made by the client."""
    number = shop.bench.submit(**changes)
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (claim,) = shop.bench.claim("w1")
    attempts_at(shop.attempts.runs, shop.calls, client).make(claim)
    return number


@pytest.mark.parametrize("stream", [False, True])
def test_a_surprise_after_the_answer_came_ends_the_job_and_keeps_the_answer(
    stream: bool, shop: Shop, open_client: Callable[..., ResponsesClient], caplog: pytest.LogCaptureFixture
) -> None:
    answer = b'{"id": "r1", "status": "completed", "output": []}'
    events = b'data: {"type":"response.completed","response":%s}\n\n' % answer
    sent = http_answer(events, kind="text/event-stream") if stream else http_answer(answer)
    with raw_server(sent) as server, caplog.at_level(logging.ERROR):
        number = made(shop, open_client(server.url), echo="[1]")  # no request that a response could be completed with
    job = shop.bench.job(number)
    assert job.error is not None
    assert (job.status, job.error["code"], job.error["retryable"]) == ("failed", "upstream_answer_invalid", False)
    assert (job.attempts[0]["delivery"], job.attempts[0]["may_be_billed"]) == ("answered", True)
    assert json.loads(shop.bench.store.raw_response(number) or b"") == json.loads(answer)
    assert "Traceback" in caplog.text
    assert len(server.requests) == 1
    assert shop.bench.slots(LANE) == set()


def test_an_answer_that_redis_was_away_for_is_no_surprise(
    tmp_path: Path, sandbox: str, open_client: Callable[..., ResponsesClient]
) -> None:
    """The worker stops while Redis is away: the job is recovered later, and not failed for its answer."""
    with running_redis(tmp_path) as server, connect(server.url) as client, running_bench(client) as bench:
        bench.submit()
        bench.beat("w1")
        bench.dispatch("w1")
        (claim,) = bench.claim("w1")

        class Leaving(ResponsesClient):
            def create(self, body: bytes, *, idempotency_key: str, call: Call) -> Answer:
                answer = super().create(body, idempotency_key=idempotency_key, call=call)
                bench.coalescer.close()
                return answer

        leaving = object.__new__(Leaving)
        leaving.__dict__.update(open_client(f"{sandbox}/v1").__dict__)
        with pytest.raises(StoreUnavailable):
            attempts_at(bench.runs("w1"), Calls(), leaving).make(claim)
        assert bench.job(claim.number).status == "in_progress"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"status": "failed", "output": [], "error": {"code": "rate_limit_exceeded", "message": "m"}}', "rate_limit"),
        (b'{"error": {"code": "ServerOverloaded", "message": "m"}}', "ServerOverloaded"),
        (b'{"error": {"code": "insufficient_quota", "message": "m"}}', "insufficient_quota"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_refusal_inside_a_success_spends_an_attempt(
    body: bytes, code: str, stream: bool, shop: Shop, open_client: Callable[..., ResponsesClient]
) -> None:
    event = (
        b'data: {"type":"response.failed","response":%s}\n\n' % body if b"status" in body else b"data: %s\n\n" % body
    )
    with raw_server(http_answer(event, kind="text/event-stream") if stream else http_answer(body)) as server:
        job = shop.bench.job(made(shop, open_client(server.url)))
        assert (job.status, job.attempts_spent, job.attempts[0]["outcome"]) == ("queued", 1, "failed")
        job = shop.bench.job(
            made(shop, open_client(server.url), max_attempts=1, model="other", backlog=backlog_of("other"))
        )
    assert job.error is not None
    assert job.status == "failed"
    assert job.error["code"].startswith(code)


def test_what_is_not_ready_waits_and_spends_nothing_and_pauses_nobody_else(shop: Shop) -> None:
    job = shop.run("status=403;code=OperationDenied.InvalidState", max_attempts=1)
    assert (job.status, job.stage, job.attempts_spent) == ("queued", Stage.DELAYED, 0)
    assert (job.reason, job.attempts[0]["outcome"]) == ("OperationDenied.InvalidState", "snoozed")
    assert blocked(shop) == ""


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


@pytest.mark.parametrize(
    "fault", ["hang", "cut=middle", "json=broken", "status=502;body=html", "status=504", "status=408"]
)
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


def test_a_job_that_is_cancelled_before_it_was_sent_is_not_called_and_leaves_its_slot(shop: Shop, sandbox: str) -> None:
    number = shop.submit()
    shop.bench.beat("w1")
    shop.bench.dispatch("w1")
    (claim,) = shop.bench.claim("w1")
    shop.bench.store.cancel(number, project=None)
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
    shop.bench.client.delete("{respool}:leader")
    shop.bench.beat("w2")
    shop.bench.dispatch("w2")
    (other,) = shop.bench.claim("w2")
    shop.attempts.make(claim)
    job = shop.bench.job(number)
    assert (job.status, other.attempt) == ("in_progress", 2)
    assert [attempt["outcome"] for attempt in job.attempts] == ["lost", "running"]
    assert shop.bench.workers.held_by("w2") == {number}


@pytest.mark.parametrize("upstream_id", [None, "resp_up"])
def test_a_lane_whose_account_is_not_known_here_is_not_called_and_waits_a_little(
    upstream_id: str | None, shop: Shop
) -> None:
    number = shop.submit(max_attempts=1)
    claim = shop.claim()
    if upstream_id:
        shop.attempts.runs.keep_upstream(claim, upstream_id)
    stranger = replace(claim, lane=lane_of(MODEL, account="newer"), upstream_id=upstream_id)
    shop.attempts.make(stranger)
    job = shop.bench.job(number)
    assert (job.status, job.stage, job.attempts_spent, job.reason) == ("queued", Stage.DELAYED, 0, "unknown_account")
    assert job.due_at is not None
    assert job.attempts[0]["delivery"] == "not_sent"
    kept = shop.bench.client.hget(f"{{respool}}:job:{number}", "upstream")
    assert (kept or b"").decode() == (upstream_id or "")


def test_each_account_is_called_for_its_own_lanes(shop: Shop, open_client: Callable[..., ResponsesClient]) -> None:
    answer = http_answer(b'{"status": "completed", "output": []}')
    with raw_server(answer) as first, raw_server(answer) as second:
        attempts = attempts_at(shop.attempts.runs, shop.calls, open_client(first.url), open_client(second.url))
        shop.submit()
        attempts.make(replace(shop.claim(), lane=lane_of(MODEL, account="other")))
    assert (len(first.requests), len(second.requests)) == (0, 1)
