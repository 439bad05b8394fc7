import pytest

from jobs import keys
from jobs.record import Stage
from jobs.upgrade import upgrade
from tests.fakes.bench import COMPLETED, Bench, answered

NEW_FIELDS = ("schema", "backlog", "priority", "order", "queued", "nano_held", "snoozes", "released")


def age(bench: Bench, number: str, *, lane: str = "default:m") -> None:
    """Makes the job what the release before backlogs kept of it."""
    client = bench.client
    client.hdel(keys.job(number), *NEW_FIELDS)
    client.hset(keys.job(number), "lane", lane)
    client.delete(keys.backlog_jobs("*:m", "default"), keys.backlog_projects("*:m"), keys.BACKLOGS)
    client.zadd(f"{keys.PREFIX}lane_queue:default:{lane}", {number: 1})
    client.delete(keys.project("default"))


def test_jobs_that_wait_since_an_older_release_are_run(bench: Bench) -> None:
    numbers = [bench.submit(model="m", tokens=7) for _ in range(3)]
    for number in numbers:
        age(bench, number)
    assert upgrade(bench.client) == 3
    assert bench.projects.get("default").held_tokens == 21
    assert not [key for key in bench.all_keys() if "lane_queue" in key]
    bench.beat("w1")
    bench.dispatch()
    claims = bench.claim()
    assert sorted(claim.number for claim in claims) == sorted(numbers)
    for claim in claims:
        assert bench.runs().finish(claim, COMPLETED, answered(7)) == "finished"
    assert bench.projects.get("default").held_tokens == 0


@pytest.mark.parametrize("stage", [Stage.DELAYED, Stage.RUNNING, Stage.ENDED])
def test_a_job_in_any_other_stage_goes_on(bench: Bench, stage: Stage) -> None:
    claim = bench.run_one(model="m")
    if stage is Stage.ENDED:
        bench.runs().finish(claim, COMPLETED, answered(1))
    if stage is Stage.DELAYED:
        bench.runs().snooze(claim, answered(0), delay_seconds=60, reason="later")
    age(bench, claim.number)
    assert upgrade(bench.client) == 1
    bench.kill("w1")
    bench.make_due("delayed")
    bench.sweep()
    assert bench.job(claim.number).stage is (Stage.ENDED if stage is Stage.ENDED else Stage.WAITING)
    assert sum(bench.workers.scan()) == 0


def test_a_store_of_this_layout_is_not_looked_through(bench: Bench) -> None:
    assert upgrade(bench.client) == 0
    age(bench, bench.submit(model="m"))
    assert upgrade(bench.client) == 0


def test_a_scan_takes_over_what_the_upgrade_did_not_see(bench: Bench) -> None:
    number = bench.submit(model="m", tokens=7)
    age(bench, number)
    assert sum(bench.workers.scan()) >= 0
    assert bench.projects.get("default").held_tokens == 7
    assert sum(bench.workers.scan()) == 0
    bench.beat("w1")
    assert bench.dispatch().released == 1


def test_a_job_that_was_taken_over_keeps_its_place_among_those_of_the_usual_priority(bench: Bench) -> None:
    old, new = bench.submit(model="m"), bench.submit(model="m")
    low, high = bench.submit(model="m", priority=0), bench.submit(model="m", priority=9)
    order = bench.job(old).order
    bench.client.hdel(keys.job(old), *NEW_FIELDS)
    bench.client.zrem(keys.backlog_jobs("*:m", "default"), old)
    assert upgrade(bench.client) == 1
    assert bench.job(old).order == order
    bench.beat("w1")
    bench.dispatch()
    assert [claim.number for claim in bench.claim()] == [high, old, new, low]


def test_a_worker_of_an_older_release_gets_no_new_jobs(bench: Bench) -> None:
    bench.beat("w1")
    bench.client.hdel(keys.worker("w1"), "generation")
    bench.submit(model="m")
    assert bench.dispatch().released == 0
    bench.beat("w2")
    assert bench.dispatch().released == 1


def test_nobody_of_an_older_release_leads_while_one_of_this_release_does(bench: Bench) -> None:
    bench.client.set(keys.PREFIX + "dispatcher", "w0", px=3000)
    assert bench.dispatch().leads
    assert bench.client.get(keys.PREFIX + "dispatcher") == b"a newer release"
    assert 3000 < bench.client.pttl(keys.PREFIX + "dispatcher") <= 6000


def test_nothing_is_held_for_a_job_that_a_worker_of_an_older_release_will_end(bench: Bench) -> None:
    claim = bench.run_one(model="m", tokens=7)
    age(bench, claim.number)
    bench.client.hdel(keys.worker("w1"), "generation")
    assert upgrade(bench.client) == 1
    assert bench.projects.get("default").held_tokens == 0
    bench.kill("w1")
    bench.sweep()
    assert bench.job(claim.number).stage is Stage.WAITING
    assert bench.projects.get("default").held_tokens == 0
