from pathlib import Path
from typing import Any

import pytest

from jobs.asked import of_job
from tests.factories import MODEL
from tests.fakes.bench import Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of, job_body

PRICE = f'[prices."{MODEL}"]\ninput = 1000\noutput = 2000\n'
ACCOUNTS = '[accounts.one]\nurl = "http://one"\nmodels = ["glm-4.7"]\n[accounts.two]\nurl = "http://two"\n'


def foresee(caller: Caller, *, headers: dict[str, str] | None = None, **changes: Any) -> Any:
    return caller.post("/v1/jobs?dry_run=true", json=job_body(**changes), headers=headers)


@pytest.fixture
def priced(make_app: AppMaker, alice: Caller, tmp_path: Path) -> Caller:
    file = tmp_path / "limits.toml"
    file.write_text('currency = "EUR"\n' + PRICE + ACCOUNTS)
    return Caller(make_app(limits_file=file).test_client(), alice.key)


def test_a_dry_run_tells_tokens_cost_and_start(priced: Caller, bench: Bench) -> None:
    bench.beat("w1")
    answer = foresee(priced, estimated_tokens=1500, request={"max_output_tokens": 500})
    assert answer.status_code == 200
    told = answer.json
    eta = told.pop("eta")
    assert 0 <= eta["p50_seconds"] <= eta["p90_seconds"] < 2
    assert told == {
        "object": "job.estimate", "model": MODEL, "tokens": {"input": 1000, "output": 500, "total": 1500},
        "cost": 2.0, "currency": "EUR", "position": 1, "jobs_ahead": 0, "waiting_reason": None,
        "refused_by": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("limits", "limit"),
    [
        ({"tokens_per_day": 1500}, None), ({"tokens_per_day": 1499}, "tokens_per_day"),
        ({"cost_per_month": 1.99}, "cost_per_month"), ({"max_queued": 1}, "max_queued"),
    ],
)  # fmt: skip
def test_a_dry_run_names_the_limit_that_would_refuse_the_submit(
    priced: Caller, bench: Bench, limits: dict[str, Any], limit: str | None
) -> None:
    if "max_queued" in limits:
        priced.job()
    bench.projects.change("alice", limits)
    assert foresee(priced, estimated_tokens=1500, request={"max_output_tokens": 500}).json["refused_by"] == limit
    refused = priced.submit(estimated_tokens=1500, request={"max_output_tokens": 500}).status_code == 429
    assert refused is (limit is not None)


def test_a_dry_run_stores_nothing(alice: Caller, bench: Bench) -> None:
    before = bench.all_keys()
    assert foresee(alice, headers={"Idempotency-Key": "k"}).status_code == 200
    assert bench.all_keys() == before
    assert alice.get("/v1/jobs").json["data"] == []
    assert alice.submit(headers={"Idempotency-Key": "k"}).headers.get("Idempotent-Replayed") is None


def test_a_dry_run_foresees_what_the_submit_then_shows(priced: Caller) -> None:
    for _ in range(2):
        priced.job()
    told = foresee(priced, video_seconds=10).json
    job = priced.job(video_seconds=10)
    assert (told["position"], told["waiting_reason"]) == (3, "no_worker")
    for name in ("position", "jobs_ahead", "eta", "waiting_reason", "currency"):
        assert told[name] == job[name]
    assert told["tokens"]["total"] == job["estimated_tokens"]


def test_without_a_price_there_is_no_cost(alice: Caller, priced: Caller) -> None:
    assert (foresee(alice).json["cost"], foresee(alice).json["currency"]) == (None, "USD")
    assert foresee(priced, request={"model": "glm-4.7"}).json["cost"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"max_attempts": 0, "priority": 10}, {"account": "three"}, {"request": {"model": "nonsense"}},
        {"account": "one"}, {"video_seconds": 0}, {"colour": "red"}, {"headers": {"Idempotency-Key": "a\tb"}},
    ],
)  # fmt: skip
def test_a_dry_run_makes_the_same_mistakes_known(changes: dict[str, Any], priced: Caller) -> None:
    headers = {"X-Request-Id": "one"} | changes.pop("headers", {})
    refused = priced.submit(headers=headers, **changes)
    assert refused.status_code == 400
    assert foresee(priced, headers=headers, **changes).json == refused.json


@pytest.mark.parametrize("query", ["dry_run=maybe", "dry_run=", "dryrun=true"])
def test_a_wish_that_is_not_understood_submits_nothing(query: str, alice: Caller) -> None:
    answer = alice.post(f"/v1/jobs?{query}", json=job_body())
    assert (answer.status_code, error_of(answer)["param"]) == (400, query.partition("=")[0])
    assert alice.get("/v1/jobs").json["data"] == []


def test_a_dry_run_that_is_none_submits(alice: Caller) -> None:
    assert alice.post("/v1/jobs?dry_run=false", json=job_body()).status_code == 202


@pytest.mark.parametrize(("body", "priority"), [({}, 5), ({"priority": 0}, 0), ({"priority": 9}, 9)])
def test_a_job_is_of_middle_priority_if_nothing_is_said(body: dict[str, Any], priority: int) -> None:
    assert of_job(job_body(**body)).priority == priority
    assert of_job(job_body(request={"respool": body})).priority == priority
