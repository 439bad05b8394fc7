import json

from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed

JOB = {
    "id": "job_1", "status": "queued", "model": "m", "created_at": 1.0, "attempts": [], "waiting_reason": None,
    "response": None, "error": None, "usage": None,
}  # fmt: skip


def test_one_that_is_refused_keeps_nobody_else_from_it() -> None:
    with answering(routed({"POST /v1/jobs/job_1/cancel": JOB | {"status": "cancelled"}})) as (api, asked):
        done = typed(api, "cancel", "job_2", "job_1", "job_1")
    assert (done.exit_code, done.stdout) == (1, "job_1 cancelled\n")
    assert done.stderr == "respool: refused (404): no such route\n"
    assert len(asked) == 2


def test_a_retry_carries_a_key_so_that_it_is_one() -> None:
    with answering(routed({"POST /v1/jobs/job_1/retry": (202, {}, JOB)})) as (api, asked):
        done = typed(api, "retry", "resp_1", "--json")
    assert json.loads(done.stdout)["id"] == "job_1"
    assert asked[0].headers["Idempotency-Key"].startswith("cli-")


def test_a_retry_may_be_watched() -> None:
    routes = {"POST /v1/jobs/job_1/retry": JOB, "GET /v1/jobs/job_1": JOB | {"status": "failed"}}
    with answering(routed(routes)) as (api, _):
        assert typed(api, "retry", "--watch", "job_1").exit_code == 1
