import re
from dataclasses import replace
from importlib import resources

import pytest
import redis

from jobs import keys
from jobs.metrics.counters import COUNTERS, HISTOGRAMS, SECONDS, read_counters
from jobs.metrics.family import Distribution, Reading
from tests.fakes.bench import COMPLETED, FAILED, Bench, answered
from tests.fakes.post_office import DELIVERED, TRIED, PostOffice, retrying

M = ("default", "m")


def read(client: redis.Redis) -> dict[str, Reading]:
    readings = read_counters(client.hgetall(keys.METRICS), client.hgetall(keys.COUNTERS))
    return {reading.family.name: reading for reading in readings}


def samples(client: redis.Redis, name: str) -> dict[tuple[str, ...], float]:
    return {labels: value for labels, value in read(client)[name].samples.items() if value}


def test_the_buckets_are_those_of_the_scripts() -> None:
    part = (resources.files("jobs") / "lua" / "parts" / "metric.lua").read_text(encoding="utf-8")
    (times,) = re.findall(r"TIMES = \{([^}]*)\}", part)
    assert tuple(re.findall(r"[\d.]+", times)) == SECONDS[:-1]


def test_every_name_that_a_script_counts_by_is_known() -> None:
    lua = "".join(
        path.read_text(encoding="utf-8")
        for folder in (resources.files("jobs") / "lua", resources.files("jobs") / "lua" / "parts")
        for path in folder.iterdir()
        if path.name.endswith(".lua")
    )
    assert set(re.findall(r"\bmeter\('([a-z_]+)", lua)) == set(COUNTERS) - {"requests"}
    assert set(re.findall(r"\bmeter_time\('([a-z_]+)", lua)) == set(HISTOGRAMS) - {"request"}


def test_two_workers_count_into_one_number(bench: Bench) -> None:
    for worker in ("w1", "w2"):
        bench.beat(worker, slots=1)
    for _ in range(2):
        bench.submit(model="m")
    bench.dispatch()
    for worker in ("w1", "w2"):
        (claim,) = bench.claim(worker)
        bench.runs(worker).finish(claim, COMPLETED, answered(7, nano=500, http_status=200))
    assert samples(bench.client, "respool_upstream_attempts_total") == {("2xx", *M): 2}
    assert samples(bench.client, "respool_tokens_total") == {("input", *M): 14}
    assert samples(bench.client, "respool_cost_total") == {M: 1e-6}


def test_an_end_that_is_written_twice_counts_once(bench: Bench) -> None:
    (claim,) = bench.run_all()
    for _ in range(2):
        bench.runs().finish(claim, COMPLETED, answered(7, http_status=200))
    assert samples(bench.client, "respool_jobs_ended_total") == {("completed", *M): 1}
    assert samples(bench.client, "respool_upstream_attempts_total") == {("2xx", *M): 1}
    assert samples(bench.client, "respool_tokens_total") == {("input", *M): 7}


def test_a_retry_that_is_written_twice_counts_once(bench: Bench) -> None:
    (claim,) = bench.run_all()
    for _ in range(2):
        bench.runs().retry(claim, replace(FAILED, http_status=503, kind="transient"), delay_seconds=60)
    assert samples(bench.client, "respool_retries_total") == {("retry", "transient", *M): 1}
    assert samples(bench.client, "respool_upstream_attempts_total") == {("5xx", *M): 1}


def test_the_class_of_a_problem_is_counted_and_not_kept_with_the_attempt(bench: Bench) -> None:
    (claim,) = bench.run_all()
    bench.runs().snooze(claim, replace(FAILED, http_status=429, kind="rate"), delay_seconds=60, reason="r")
    assert samples(bench.client, "respool_retries_total") == {("snooze", "rate", *M): 1}
    assert b'"kind"' not in bench.client.lindex(keys.attempts(claim.number), 0)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"http_status": 200, "delivery": "answered"}, "2xx"),
        ({"http_status": 429, "delivery": "answered"}, "429"),
        ({"http_status": 404, "delivery": "answered"}, "4xx"),
        ({"http_status": 999, "delivery": "answered"}, "other"),
        ({"delivery": "sent"}, "no_answer"),
        ({"delivery": "not_sent"}, "not_sent"),
    ],
)
def test_an_attempt_is_counted_by_how_the_endpoint_answered(
    bench: Bench, changes: dict[str, object], status: str
) -> None:
    (claim,) = bench.run_all()
    bench.runs().retry(claim, replace(FAILED, **changes), delay_seconds=60)  # type: ignore[arg-type]
    assert samples(bench.client, "respool_upstream_attempts_total") == {(status, *M): 1}


def test_an_attempt_whose_worker_died_is_lost_also_if_its_answer_comes_late(bench: Bench) -> None:
    (claim,) = bench.run_all()
    bench.runs().mark_sent(claim)
    bench.kill("w1")
    bench.sweep()
    bench.runs().finish(claim, COMPLETED, answered(7, http_status=200))
    assert samples(bench.client, "respool_upstream_attempts_total") == {("lost", *M): 1}
    assert samples(bench.client, "respool_repairs_total") == {("recovered_jobs",): 1}


def test_a_count_that_can_grow_no_further_stands_in_no_jobs_way(bench: Bench) -> None:
    (claim,) = bench.run_all()
    field = "cost_nano\ndefault:m"
    bench.client.hset(keys.METRICS, field, 2**63 - 10)
    bench.runs().finish(claim, COMPLETED, answered(7, nano=500, http_status=200))
    assert bench.job(claim.number).status == "completed"
    assert bench.client.hget(keys.METRICS, field) == b"%d" % (2**63 - 10)
    assert samples(bench.client, "respool_tokens_total") == {("input", *M): 7}


def test_counts_outlive_the_jobs_that_they_are_of(bench: Bench) -> None:
    (claim,) = bench.run_all()
    bench.runs().finish(claim, COMPLETED, answered(7, http_status=200))
    before = read(bench.client)
    bench.make_due("ended")
    bench.sweep()
    assert not bench.client.exists(keys.job(claim.number))
    assert read(bench.client) == before


def test_a_wait_falls_into_the_bucket_of_its_time(bench: Bench) -> None:
    number = bench.fill(1)[0]
    bench.client.hincrby(keys.job(number), "queued", -40_000)
    bench.dispatch()
    bench.claim()
    found = read(bench.client)["respool_wait_seconds"].samples["api", *M]
    assert isinstance(found, Distribution)
    assert found.buckets == {"60": 1}
    assert 40 <= found.sum_seconds < 60


def test_the_first_hundred_lanes_have_their_names_and_all_others_are_one(bench: Bench) -> None:
    for place in range(103):
        bench.submit(model=f"m{place}")
    found = samples(bench.client, "respool_jobs_submitted_total")
    assert len(found) == 101
    assert found["api", "*", "m99"] == 1
    assert found["api", "other", "other"] == 3


def test_a_model_may_hold_what_separates_elsewhere(bench: Bench) -> None:
    bench.submit(model='a:b/c"\\')
    assert samples(bench.client, "respool_jobs_submitted_total") == {("api", "*", 'a:b/c"\\'): 1}


def test_attempts_at_deliveries_count_by_answer_and_deliveries_by_end(bench: Bench) -> None:
    office = PostOffice(bench)
    office.end_job()
    (claim,) = office.take()
    office.settle(claim, retrying(), replace(TRIED, http_status=500))
    (again,) = office.take()
    office.settle(again, retrying(), replace(TRIED, http_status=None, error="timeout"))
    (last,) = office.take()
    office.settle(last, DELIVERED)
    office.settle(last, DELIVERED)
    assert samples(bench.client, "respool_delivery_attempts_total") == {("5xx",): 1, ("timeout",): 1, ("2xx",): 1}
    assert samples(bench.client, "respool_deliveries_ended_total") == {("delivered",): 1}
