"""What a submit meets besides its own mistakes: the limits of its project, priorities, accounts."""

from pathlib import Path
from typing import Any

import pytest

from jobs.closings import End
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, FAILED, FAILURE, Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of, job_body

PRICE = f'[prices."{MODEL}"]\ninput = 1000\noutput = 1000\n'
ACCOUNTS = '[accounts.one]\nurl = "http://one"\nmodels = ["glm-4.7"]\n[accounts.two]\nurl = "http://two"\n'


@pytest.fixture
def governed(make_app: AppMaker, alice: Caller, tmp_path: Path) -> Caller:
    """Alice where there are prices and two accounts."""
    file = tmp_path / "limits.toml"
    file.write_text(PRICE + ACCOUNTS)
    return Caller(make_app(limits_file=file).test_client(), alice.key)


def limit(admin: Caller, **limits: Any) -> None:
    assert admin.ask("PATCH", "/v1/projects/alice", json=limits).status_code == 200


def fail(bench: Bench) -> None:
    """Brings the next job to its failure."""
    bench.beat("w1")
    bench.dispatch("w1")
    for claim in bench.claim("w1"):
        bench.runs("w1").finish(claim, FAILURE, FAILED)


@pytest.mark.parametrize(
    ("limits", "code", "bound"),
    [
        ({"max_queued": 1}, "max_queued", "1"), ({"submits_per_minute": 1}, "submits_per_minute", "1"),
        ({"tokens_per_day": 2500}, "tokens_per_day", "2500"), ({"tokens_per_month": 2999}, "tokens_per_month", "2999"),
        ({"cost_per_day": 2.5}, "cost_per_day", "2.5"), ({"cost_per_month": 2}, "cost_per_month", "2"),
    ],
)  # fmt: skip
def test_a_limit_of_the_project_refuses_what_is_beyond_it(
    limits: dict[str, Any], code: str, bound: str, governed: Caller, admin: Caller
) -> None:
    limit(admin, **limits)
    governed.job(estimated_tokens=1500)
    refused = governed.submit(estimated_tokens=1500)
    assert refused.status_code == 429
    error = error_of(refused)
    assert (error["code"], error["type"]) == (code, "rate_limit_error")
    assert f"{code} of {bound}; try again in " in error["message"]
    seconds = int(refused.headers["Retry-After"])
    assert seconds >= 1
    assert refused.headers.get("x-should-retry") == ("false" if seconds > 60 else None)
    limit(admin, **dict.fromkeys(limits))
    assert governed.submit(estimated_tokens=1500).status_code == 202


def test_a_submit_tells_what_is_left_of_a_limit(governed: Caller, admin: Caller) -> None:
    limit(admin, submits_per_minute=2, tokens_per_day=4000)
    first = governed.submit(estimated_tokens=1500).headers
    assert (first["x-ratelimit-limit-requests"], first["x-ratelimit-remaining-requests"]) == ("2", "1")
    assert (first["x-ratelimit-limit-tokens"], first["x-ratelimit-remaining-tokens"]) == ("4000", "2500")
    assert first["RateLimit-Policy"] == '"requests";q=2;w=60'
    assert first["RateLimit"].startswith('"requests";r=1;t=')
    assert first["x-ratelimit-reset-requests"].endswith("s")
    governed.submit(estimated_tokens=1500)
    refused = governed.submit(estimated_tokens=10)
    assert (refused.status_code, refused.headers["x-ratelimit-remaining-requests"]) == (429, "0")
    assert refused.headers["x-ratelimit-remaining-tokens"] == "1000"


def test_a_replayed_submit_tells_it_too_and_takes_nothing(governed: Caller, admin: Caller) -> None:
    limit(admin, submits_per_minute=2)
    for remaining in ("1", "1"):
        answer = governed.submit(headers={"Idempotency-Key": "k"})
        assert (answer.status_code, answer.headers["x-ratelimit-remaining-requests"]) == (202, remaining)


def test_without_limits_no_answer_speaks_of_them(governed: Caller) -> None:
    assert not [name for name, _ in governed.submit().headers if "ratelimit" in name.lower()]


def test_a_job_shows_its_priority_estimate_and_place(governed: Caller) -> None:
    low, high = governed.job(priority=0, estimated_tokens=77), governed.job(priority=9)
    assert (low["priority"], low["account"], low["estimated_tokens"]) == (0, None, 77)
    assert (low["cost"], low["currency"]) == (0.0, "USD")
    assert governed.job(request={"model": "glm-4.7"})["cost"] is None
    shown = {job["id"]: job for job in governed.get("/v1/jobs").json["data"]}
    assert (shown[high["id"]]["position"], shown[low["id"]]["position"]) == (1, 2)
    assert (shown[high["id"]]["jobs_ahead"], shown[low["id"]]["jobs_ahead"]) == (0, 1)


def test_higher_goes_first(governed: Caller, bench: Bench) -> None:
    for priority in (3, 9, 5):
        governed.job(priority=priority)
    bench.beat("w1")
    bench.dispatch("w1")
    claimed = [bench.job(claim.number).priority for claim in bench.claim("w1")]
    assert claimed == [9, 5, 3]


def test_the_operator_says_what_a_step_of_priority_is_worth(make_app: AppMaker, alice: Caller, bench: Bench) -> None:
    caller = Caller(make_app(ageing_seconds=0.0).test_client(), alice.key)
    first, second = caller.job(priority=0), caller.job(priority=9)
    assert (first["position"], second["position"]) == (1, 2)
    told = caller.post("/v1/jobs?dry_run=1", json=job_body(priority=9)).json
    assert told["position"] == 3
    bench.beat("w1", slots=1)
    bench.dispatch("w1")
    assert [claim.number for claim in bench.claim("w1")] == [first["id"].removeprefix("job_")]


def test_only_a_queued_job_has_a_place_and_a_reason(governed: Caller, bench: Bench) -> None:
    job = governed.job()
    bench.beat("w1")
    bench.dispatch("w1")
    (claim,) = bench.claim("w1")
    under_way = governed.get(f"/v1/jobs/{job['id']}").json
    assert under_way["account"] == under_way["attempts"][0]["account"] == "default"
    assert under_way["attempts"][0]["series"] == 1
    bench.runs("w1").finish(claim, End(status="completed", response=b"{}"), ANSWERED)
    for shown in (under_way, governed.get(f"/v1/jobs/{job['id']}").json):
        assert [shown[name] for name in ("position", "jobs_ahead", "eta", "waiting_reason")] == [None] * 4


def test_a_job_may_be_pinned_to_an_account(governed: Caller, bench: Bench) -> None:
    job = governed.job(account="two")
    assert bench.job(job["id"].removeprefix("job_")).backlog == f"two:{MODEL}"
    refused = governed.submit(account="three")
    assert (refused.status_code, error_of(refused)["param"]) == (400, "account")
    assert "one of these 2: one, two" in error_of(refused)["message"]
    assert error_of(governed.submit(account="one"))["param"] == "account"


def test_a_model_that_no_account_has_is_refused(make_app: AppMaker, alice: Caller, tmp_path: Path) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('[accounts.one]\nurl = "http://one"\nmodels = ["glm-4.7"]\n')
    caller = Caller(make_app(limits_file=file, models=("*",)).test_client(), alice.key)
    assert caller.submit(request={"model": "glm-4.7"}).status_code == 202
    refused = caller.submit()
    assert (refused.status_code, error_of(refused)["param"]) == (400, "request.model")


@pytest.mark.parametrize("data", [b"", b"{}", b"not json"])
@pytest.mark.parametrize("kind", ["application/json", "text/plain", ""])
def test_a_failed_job_is_queued_again_whatever_the_body(data: bytes, kind: str, alice: Caller, bench: Bench) -> None:
    job = alice.job()
    fail(bench)
    answer = alice.post(f"/v1/jobs/{job['id']}/retry", data=data, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json["id"], answer.json["status"]) == (202, job["id"], "queued")
    assert (answer.json["attempts_spent"], len(answer.json["attempts"])) == (0, 1)
    assert (answer.json["finished_at"], answer.json["error"]) == (None, None)


def test_attempts_tell_in_which_series_they_were_made(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    for _ in range(2):
        fail(bench)
        alice.post(f"/v1/jobs/{job['id']}/retry")
    fail(bench)
    shown = alice.get(f"/v1/jobs/{job['id']}").json
    assert shown["status"] == "failed"
    assert [(attempt["number"], attempt["series"]) for attempt in shown["attempts"]] == [(1, 1), (2, 2), (3, 3)]


def test_only_a_job_that_failed_can_be_retried(alice: Caller, bench: Bench) -> None:
    job = alice.job()

    def refused(status: str) -> None:
        answer = alice.post(f"/v1/jobs/{job['id']}/retry")
        assert (answer.status_code, error_of(answer)["code"]) == (400, "job_not_failed")
        assert error_of(answer)["message"].endswith(f"this one is {status}.")

    refused("queued")
    bench.beat("w1")
    bench.dispatch("w1")
    bench.claim("w1")
    refused("in_progress")
    alice.post(f"/v1/jobs/{job['id']}/cancel")
    refused("cancelled")


def test_a_retry_that_is_sent_twice_queues_once(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    fail(bench)
    assert [alice.post(f"/v1/jobs/{job['id']}/retry").status_code for _ in range(2)] == [202, 400]
    assert bench.dispatch("w1").released == 1


def test_a_retry_meets_the_limits_of_a_submit(alice: Caller, admin: Caller, bench: Bench) -> None:
    failed, _ = alice.job(), fail(bench)
    limit(admin, max_queued=1)
    alice.job()
    refused = alice.post(f"/v1/jobs/{failed['id']}/retry")
    assert (refused.status_code, error_of(refused)["code"]) == (429, "max_queued")
    assert alice.get(f"/v1/jobs/{failed['id']}").json["status"] == "failed"
