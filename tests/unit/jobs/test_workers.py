from datetime import UTC, datetime

import pytest

from jobs import keys
from jobs.claims import Claim
from jobs.errors import JobNotFound
from jobs.store import Sameness
from jobs.workers import LEASE_SECONDS, LiveWorker
from tests.factories import new_job
from tests.fakes.bench import ABOUT, ANSWERED, COMPLETED, FAILED, UNSENT, Bench, answered
from tests.fakes.clock import Clock
from tests.fakes.waiting import wait_until


def dispatched(bench: Bench, worker: str = "w1", **changes: object) -> str:
    """A new job, released to the worker and not claimed."""
    number = bench.submit(**changes)
    bench.beat(worker)
    bench.dispatch()
    assert bench.job(number).stage == "dispatched"
    return number


def lose(bench: Bench, worker: str = "w1") -> int:
    bench.kill(worker)
    return int(bench.sweep().recovered)


def test_a_beat_leases_the_workers_life_and_tells_what_it_offers(bench: Bench) -> None:
    bench.run_one()
    bench.beat("w1", slots=7)
    (live,) = bench.workers.live()
    assert LEASE_SECONDS - 2 < live.lease_seconds <= LEASE_SECONDS
    assert live == LiveWorker(
        id="w1", slots=7, jobs=1, stalled=False, lease_seconds=live.lease_seconds, host="here", pid=1, started_at=1.5
    )
    seconds, _ = bench.client.time()
    until = bench.client.zscore(keys.WORKERS, "w1") / 1000 - seconds
    assert LEASE_SECONDS - 2 < until <= LEASE_SECONDS + 1


def test_a_worker_whose_lease_ran_out_does_not_live_and_leaves_no_key_behind(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.cancel(claim.number, project=None)
    bench.kill("w1")
    assert bench.workers.live() == []
    bench.sweep()
    assert not any("w1" in key for key in bench.all_keys())
    assert bench.client.zscore(keys.WORKERS, "w1") is None


def test_a_worker_that_leaves_leaves_no_key_behind(bench: Bench) -> None:
    claim = bench.run_one()
    dispatched(bench)
    bench.store.cancel(claim.number, project=None)
    assert bench.workers.leave("w1") == 2
    assert not any("w1" in key for key in bench.all_keys())
    assert bench.slots(claim.lane) == set()


def test_a_job_that_was_released_to_a_dead_worker_goes_back_as_if_nothing_had_been(bench: Bench) -> None:
    number = dispatched(bench)
    assert lose(bench) == 1
    job = bench.job(number)
    assert (job.stage, job.attempts, job.attempts_spent) == ("waiting", [], 0)


def test_a_job_whose_worker_died_before_it_was_sent_goes_back_and_no_attempt_is_spent(bench: Bench) -> None:
    claim = bench.run_one(on_unknown="fail", max_attempts=1)
    assert lose(bench) == 1
    job = bench.job(claim.number)
    assert (job.status, job.stage, job.attempts_spent) == ("queued", "waiting", 0)
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["delivery"], attempt["may_be_billed"]) == ("lost", "not_sent", False)
    assert bench.slots(claim.lane) == set()


def test_a_job_whose_worker_died_after_it_was_sent_is_tried_again_and_shows_what_may_be_billed(bench: Bench) -> None:
    claim = bench.run_one(max_attempts=2)
    bench.runs().mark_sent(claim)
    lose(bench)
    job = bench.job(claim.number)
    assert (job.status, job.stage, job.attempts_spent) == ("queued", "waiting", 1)
    (attempt,) = job.attempts
    assert (attempt["outcome"], attempt["delivery"], attempt["may_be_billed"]) == ("lost", "sent", True)


@pytest.mark.parametrize(("on_unknown", "max_attempts"), [("fail", 5), ("retry", 1)])
def test_a_job_that_may_not_be_sent_again_fails_as_unknown(bench: Bench, on_unknown: str, max_attempts: int) -> None:
    claim = bench.run_one(on_unknown=on_unknown, max_attempts=max_attempts)
    bench.runs().mark_sent(claim)
    lose(bench)
    job = bench.job(claim.number)
    assert job.status == "failed"
    assert job.error is not None
    assert (job.error["code"], job.error["retryable"]) == ("outcome_unknown", True)
    assert job.attempts[0]["may_be_billed"] is True
    assert bench.slots(claim.lane) == set()


@pytest.mark.parametrize("sent", [True, False])
def test_a_job_that_takes_three_workers_with_it_is_given_up(bench: Bench, sent: bool) -> None:
    claim = bench.run_one("w0", max_attempts=20)
    for turn in range(3):
        if sent:
            bench.runs(f"w{turn}").mark_sent(claim)
        lose(bench, f"w{turn}")
        if turn < 2:
            claim = take_up(bench, f"w{turn + 1}")
    job = bench.job(claim.number)
    assert (job.status, job.error and job.error["code"]) == ("failed", "worker_lost")
    assert job.attempts_spent == 3 * sent


def lost_twice(bench: Bench, count: int) -> list[str]:
    """Jobs with which two workers were lost."""
    numbers = [bench.submit(max_attempts=20) for _ in range(count)]
    for worker in ("w-first", "w-second"):
        bench.beat(worker, slots=count)
        bench.dispatch()
        assert len(bench.claim(worker)) == count
        lose(bench, worker)
    return numbers


def test_no_worker_runs_two_jobs_of_which_each_may_be_what_killed_two_workers(bench: Bench) -> None:
    suspects = lost_twice(bench, 3)
    others = [bench.submit() for _ in range(2)]
    for worker in ("w1", "w2"):
        bench.beat(worker, slots=10)
    assert bench.dispatch().released == 4
    given = {worker: bench.workers.held_by(worker) for worker in ("w1", "w2")}
    assert [len(given[worker] & set(suspects)) for worker in ("w1", "w2")] == [1, 1]
    assert given["w1"] | given["w2"] >= set(others)
    (left,) = set(suspects) - given["w1"] - given["w2"]
    assert (bench.job(left).stage, bench.job(left).reason) == ("delayed", "worker_lost")


def test_the_next_of_them_goes_when_the_one_before_has_ended(bench: Bench) -> None:
    lost_twice(bench, 2)
    bench.beat("w1", slots=10)
    bench.dispatch()
    (claim,) = bench.claim()
    bench.make_due("delayed")
    bench.sweep()
    assert bench.dispatch().released == 0
    bench.runs().finish(claim, COMPLETED, answered(1))
    bench.make_due("delayed")
    bench.sweep()
    assert bench.dispatch().released == 1


def test_what_is_lost_with_one_of_them_is_not_given_up_for_it(bench: Bench) -> None:
    (suspect,) = lost_twice(bench, 1)
    others = [bench.submit() for _ in range(3)]
    bench.beat("w1", slots=10)
    bench.dispatch()
    assert len(bench.claim()) == 4
    lose(bench, "w1")
    assert bench.job(suspect).status == "failed"
    assert {bench.job(number).status for number in others} == {"queued"}


def test_a_response_that_takes_three_workers_with_it_is_cancelled_upstream(bench: Bench) -> None:
    claim = bench.run_one("w0")
    for turn in range(3):
        bench.runs(f"w{turn}").keep_upstream(claim, "resp_up")
        lose(bench, f"w{turn}")
        if turn < 2:
            claim = take_up(bench, f"w{turn + 1}")
    assert bench.job(claim.number).error == {
        "code": "worker_lost",
        "message": "three workers in a row were lost with this job",
        "retryable": True,
    }
    assert bench.workers.beat("w9", slots=1, about=ABOUT).orphans


def test_workers_lost_before_one_that_outlived_the_job_no_longer_count(bench: Bench) -> None:
    claim = bench.run_one("w0", max_attempts=20)
    for turn in range(2):
        lose(bench, f"w{turn}")
        claim = take_up(bench, f"w{turn + 1}")
    assert bench.runs("w2").retry(claim, FAILED, delay_seconds=0) == "put_back"
    for turn in range(2, 4):
        claim = take_up(bench, f"w{turn}")
        lose(bench, f"w{turn}")
    assert bench.job(claim.number).status == "queued"


def test_workers_that_are_told_to_go_are_not_counted_as_lost(bench: Bench) -> None:
    claim = bench.run_one("w0", max_attempts=20)
    for turn in range(4):
        bench.workers.leave(f"w{turn}")
        claim = take_up(bench, f"w{turn + 1}")
    assert bench.job(claim.number).status == "in_progress"


def take_up(bench: Bench, worker: str) -> Claim:
    """The one job that waits, at that worker, however long it was to wait."""
    bench.make_due("delayed")
    bench.sweep()
    bench.beat(worker)
    bench.dispatch()
    (claim,) = bench.claim(worker)
    return claim


def test_a_cancelled_call_of_a_dead_worker_frees_its_slot(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.cancel(claim.number, project=None)
    lose(bench)
    assert bench.slots(claim.lane) == set()
    assert bench.job(claim.number).status == "cancelled"


def test_a_set_that_is_wrong_about_a_job_takes_it_from_nobody(bench: Bench) -> None:
    claim = bench.run_one("w1")
    bench.client.sadd(keys.worker_jobs("w2"), claim.number)
    bench.beat("w2")
    assert bench.workers.give_back("w2", [claim.number]) == 0
    for _ in range(2):
        bench.client.sadd(keys.worker_jobs("w2"), claim.number)
        lose(bench, "w2")
    bench.client.sadd(keys.worker_jobs("w2"), claim.number)
    bench.workers.leave("w2")
    assert (bench.job(claim.number).status, bench.workers.held_by("w2")) == ("in_progress", set())
    assert bench.runs("w1").finish(claim, COMPLETED, ANSWERED) == "finished"


def test_jobs_that_no_thread_holds_are_given_back_but_not_those_still_on_their_way(bench: Bench) -> None:
    claim = bench.run_one()
    waiting = dispatched(bench)
    assert bench.workers.held_by("w1") == {claim.number, waiting}
    assert bench.workers.give_back("w1", [claim.number, waiting]) == 1
    assert (bench.job(claim.number).stage, bench.job(waiting).stage) == ("waiting", "dispatched")


def test_a_release_that_nobody_claims_is_taken_back_and_its_worker_is_passed_over(bench: Bench) -> None:
    number = dispatched(bench, "w1")
    assert bench.sweep().unclaimed == 0
    bench.make_due("dispatched")
    assert bench.sweep().unclaimed == 1
    assert bench.count("unclaimed_jobs") == 1
    assert bench.dispatch().released == 0
    bench.beat("w2")
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim("w2")] == [number]


def test_a_worker_that_claims_again_is_no_longer_passed_over(bench: Bench) -> None:
    dispatched(bench)
    bench.make_due("dispatched")
    bench.sweep()
    assert bench.claim() == []
    assert bench.dispatch().released == 1


def test_a_lost_message_does_not_shut_its_worker_out_for_good(bench: Bench) -> None:
    dispatched(bench)
    bench.releases()
    bench.make_due("dispatched")
    bench.sweep()
    stalled = int(bench.client.hget(keys.worker("w1"), "stalled"))
    bench.client.hset(keys.worker("w1"), "stalled", stalled - 60_000)
    assert bench.dispatch().released == 1


def test_a_job_past_its_queue_deadline_expires_and_one_that_was_taken_does_not(bench: Bench) -> None:
    taken = bench.run_one(queue_deadline_seconds=100.0)
    late = bench.submit(queue_deadline_seconds=100.0)
    early = bench.submit(queue_deadline_seconds=None)
    assert bench.sweep().expired == 0
    bench.make_due("deadlines")
    assert bench.sweep().expired == 1
    job = bench.job(late)
    assert (job.status, job.error and job.error["code"]) == ("failed", "expired")
    assert (bench.job(taken.number).status, bench.job(early).status) == ("in_progress", "queued")
    assert not bench.client.exists(keys.PREFIX + "deadlines")


def test_a_job_is_forgotten_at_the_end_of_its_retention_with_every_key_it_had(bench: Bench) -> None:
    claim = bench.run_one(project="p", queue_deadline_seconds=50.0)
    bench.store.submit(new_job(project="p"), Sameness(digest="ab", key="k"))
    bench.dispatch()
    (second,) = bench.claim()
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    bench.store.cancel(second.number, project=None)
    assert bench.sweep().forgotten == 0
    bench.make_due("ended")
    assert bench.sweep().forgotten == 2
    for number in (claim.number, second.number):
        with pytest.raises(JobNotFound):
            bench.job(number)
    bench.workers.leave("w1")
    left = {key.removeprefix(keys.PREFIX).split(":")[0] for key in bench.all_keys()}
    bounded = {
        "usage",
        "series",
        "events",
        "spent",
        "lane",
        "lane_starts",
        "lane_runs",
        "lane_changes",
        "backlog",
        "idempotency",
    }
    assert left <= bounded | {
        "counters",
        "metrics",
        "metric_lanes",
        "projects",
        "project",
        "lanes",
        "backlogs",
        "backlog_projects",
        "asleep",
        "dispatcher",
        "leader",
        "sweep",
    }
    assert not any(claim.number in key or second.number in key for key in bench.all_keys())
    for key in bench.all_keys():
        assert key.split(":")[1] not in bounded or bench.client.ttl(key) > 0, key
    assert bench.slots(claim.lane) == set()


def test_a_record_has_an_expiry_of_its_own_behind_the_sweep(bench: Bench) -> None:
    claim = bench.run_one(retention_seconds=100.0)
    assert bench.client.ttl(keys.job(claim.number)) == -1
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    for key in (keys.job(claim.number), keys.attempts(claim.number)):
        assert 86_400 < bench.client.ttl(key) <= 86_500
    bench.client.delete(keys.job(claim.number))
    bench.make_due("ended")
    assert bench.sweep().forgotten == 1
    assert not any("index" in key for key in bench.all_keys())


def test_one_sweep_in_a_second_is_enough_for_all_workers(bench: Bench) -> None:
    assert bench.workers.sweep() is not None
    assert bench.workers.sweep() is None
    assert 1000 < bench.client.pttl(keys.SWEEP) <= 6000
    bench.client.decrby(keys.SWEEP, 900)
    assert bench.workers.sweep() is not None


def test_a_worker_of_an_older_release_cannot_sweep_after_one_of_this_release(bench: Bench) -> None:
    assert bench.workers.sweep() is not None
    assert not bench.client.set(keys.PREFIX + "sweep", "1", nx=True, px=900)


def test_a_sweep_of_an_older_release_holds_up_none_of_this_one(bench: Bench) -> None:
    bench.client.set(keys.PREFIX + "sweep", "1", px=900)
    assert bench.workers.sweep() is not None


def where(bench: Bench, number: str) -> set[str]:
    """The names of all sets and indexes that hold the number."""
    found = set()
    for key in bench.all_keys():
        kind = bench.client.type(key)
        members = {b"zset": bench.client.zrange, b"set": lambda k, *_: bench.client.smembers(k)}.get(kind)
        if members is not None and any(number.encode() in member for member in members(key, 0, -1)):
            found.add(key)
    return found


def at_stage(bench: Bench, stage: str) -> str:
    match stage:
        case "waiting":
            return bench.submit(model="m", project="p")
        case "dispatched":
            return dispatched(bench, model="m", project="p")
        case "delayed":
            claim = bench.run_one(model="m", project="p")
            bench.runs().snooze(claim, UNSENT, delay_seconds=600, reason="rate_limited")
            return claim.number
        case "running":
            return bench.run_one(model="m", project="p").number
        case _:
            claim = bench.run_one(model="m", project="p")
            bench.runs().finish(claim, COMPLETED, ANSWERED)
            return claim.number


@pytest.mark.parametrize(
    ("stage", "key"),
    [
        ("waiting", "backlog_jobs:p:*:m"), ("waiting", "backlog_projects:*:m"), ("waiting", "backlogs"),
        ("waiting", "index:p:queued"), ("delayed", "delayed"), ("delayed", "index:p:queued"),
        ("dispatched", "dispatched"), ("dispatched", "index:p:queued"), ("running", "worker_jobs:w1"),
        ("running", "workers"), ("running", "index:p:in_progress"), ("ended", "ended"), ("ended", "index:p:completed"),
    ],
)  # fmt: skip
def test_a_record_that_an_index_lost_is_put_back_and_counted(bench: Bench, stage: str, key: str) -> None:
    number = at_stage(bench, stage)
    reason, before = bench.job(number).reason, where(bench, number)
    bench.client.delete(keys.PREFIX + key)
    assert sum(bench.workers.scan()) == 1
    assert bench.count("reindexed_jobs") == 1
    assert sum(bench.workers.scan()) == 0
    job = bench.job(number)
    if (stage, key.startswith("index")) in {("running", False), ("dispatched", False)}:
        assert job.stage == "waiting"
    else:
        assert (job.stage, job.reason) == (stage, reason)
        assert where(bench, number) == before
    bench.beat("w2")
    if job.finished_at is None and stage != "delayed":
        bench.dispatch()
        assert stage == "running" or [claim.number for claim in [*bench.claim("w1"), *bench.claim("w2")]] == [number]


def test_a_parked_projects_job_that_its_backlog_lost_is_put_back_and_stays_parked(bench: Bench) -> None:
    bench.projects.change("p", {"max_in_flight": 1})
    claim = bench.run_one(model="m", project="p")
    number = bench.submit(model="m", project="p")
    bench.dispatch()
    assert sum(bench.workers.scan()) == 0
    bench.client.delete(keys.backlog_jobs("*:m", "p"))
    assert sum(bench.workers.scan()) == 1
    assert bench.dispatch().released == 0
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    bench.dispatch()
    assert [each.number for each in bench.claim()] == [number]


def test_a_running_record_that_every_index_lost_is_listed_once(bench: Bench) -> None:
    number = at_stage(bench, "running")
    for key in ("workers", "worker_jobs:w1", "index:p:in_progress"):
        bench.client.delete(keys.PREFIX + key)
    assert sum(bench.workers.scan()) == 1
    assert {key for key in where(bench, number) if ":index:" in key} == {keys.index("p", "queued")}


def test_a_scan_walks_over_all_records_in_pages(bench: Bench) -> None:
    for _ in range(260):
        bench.submit(model="m", project="p")
    bench.client.delete(keys.PREFIX + "backlog_jobs:p:*:m")
    pages = list(bench.workers.scan())
    assert (len(pages), sum(pages)) == (2, 260)
    bench.beat("w1", slots=300)
    assert bench.dispatch().released + bench.dispatch().released == 260


def test_a_snoozed_job_still_has_its_queue_deadline_and_a_retried_one_has_none(bench: Bench) -> None:
    spent = bench.run_one(queue_deadline_seconds=0.05)
    bench.runs().retry(spent, UNSENT, delay_seconds=100)
    unspent = bench.run_one(queue_deadline_seconds=0.05)
    bench.runs().snooze(unspent, UNSENT, delay_seconds=0, reason="rate")
    wait_until(lambda: bench.sweep() is not None and bench.job(unspent.number).error is not None)
    assert bench.job(unspent.number).error == {
        "code": "expired",
        "message": "the job was still queued at its queue_deadline_seconds",
        "retryable": True,
    }
    assert bench.job(spent.number).status == "queued"


def away(bench: Bench, clock: Clock, trouble: str) -> None:
    """Something after which leases say nothing."""
    match trouble:
        case "nobody swept":
            pass_time(bench, clock, LEASE_SECONDS - 0.1)
        case "nobody swept for long":
            pass_time(bench, clock, 60)
        case "the clock jumped back":
            pass_time(bench, clock, -60)
        case "another server":
            pass_time(bench, clock, LEASE_SECONDS / 2 - 0.5)
            bench.client.hset(keys.COUNTERS, "swept_in", "0123abcd")


TROUBLES = ["nobody swept", "nobody swept for long", "the clock jumped back", "another server"]


def pass_time(bench: Bench, clock: Clock, seconds: float) -> None:
    """In which nobody beats."""
    clock.set(datetime.fromtimestamp(clock.seconds() + seconds, UTC))


@pytest.mark.parametrize("trouble", TROUBLES)
def test_when_leases_could_not_be_renewed_everybody_gets_a_whole_one(bench: Bench, clock: Clock, trouble: str) -> None:
    running, released = bench.run_one(), dispatched(bench)
    sweep_on(bench)
    away(bench, clock, trouble)
    assert sweep_on(bench) == 0
    (live,) = bench.workers.live()
    assert LEASE_SECONDS - 0.1 < live.lease_seconds <= LEASE_SECONDS
    for _ in range(2):
        pass_time(bench, clock, LEASE_SECONDS / 2 - 0.2)
        assert sweep_on(bench) == 0
    assert bench.job(running.number).stage == "running"
    pass_time(bench, clock, 0.5)
    assert sweep_on(bench) >= 1, "one who stays away is dead"
    assert {bench.job(number).stage for number in (running.number, released)} == {"waiting"}


@pytest.mark.parametrize("trouble", TROUBLES)
def test_who_beat_before_the_first_sweep_lives(bench: Bench, clock: Clock, trouble: str) -> None:
    bench.run_one()
    sweep_on(bench)
    away(bench, clock, trouble)
    bench.beat("w1")
    assert sweep_on(bench) == 0
    (live,) = bench.workers.live()
    assert LEASE_SECONDS - 0.1 < live.lease_seconds <= LEASE_SECONDS


@pytest.mark.parametrize("trouble", sorted({*TROUBLES} - {"the clock jumped back"}))
def test_who_was_silent_before_gets_no_more_than_what_he_had_left(bench: Bench, clock: Clock, trouble: str) -> None:
    bench.run_one()
    for _ in range(3):
        sweep_on(bench)
        pass_time(bench, clock, 1)
    sweep_on(bench)
    away(bench, clock, trouble)
    assert sweep_on(bench) == 0
    (live,) = bench.workers.live()
    assert LEASE_SECONDS - 3.1 < live.lease_seconds <= LEASE_SECONDS - 3


def sweep_on(bench: Bench) -> int:
    """How many jobs of dead workers a sweep found that knows when the last one was."""
    bench.client.delete(keys.SWEEP)
    swept = bench.workers.sweep()
    assert swept is not None
    return swept.recovered


def test_who_dies_while_all_is_well_is_found_when_his_lease_is_over(bench: Bench, clock: Clock) -> None:
    bench.run_one()
    found = []
    for _ in range(8):
        found.append(sweep_on(bench))
        pass_time(bench, clock, 1)
    assert found == [0, 0, 0, 0, 0, 0, 1, 0]


def test_after_an_outage_what_was_released_may_still_be_claimed(bench: Bench) -> None:
    number = dispatched(bench)
    bench.make_due("dispatched")
    bench.client.hset(keys.COUNTERS, "swept", bench.client.time()[0] * 1000 - 60_000)
    swept = bench.workers.sweep()
    assert swept is not None
    assert (swept.unclaimed, bench.job(number).stage) == (0, "dispatched")


def test_a_worker_that_leaves_with_jobs_is_not_renewed_by_an_outage(bench: Bench) -> None:
    bench.run_one()
    bench.client.zadd(keys.WORKERS, {"w1": 0})
    assert sweep_on(bench) == 1


def test_a_worker_that_misses_its_beats_is_given_nothing_until_it_beats_again(bench: Bench, clock: Clock) -> None:
    bench.beat("w1")
    bench.submit()
    pass_time(bench, clock, 2.6)
    assert bench.dispatch().released == 0
    bench.beat("w1")
    assert bench.dispatch().released == 1


def test_one_that_beats_again_wakes_the_leader(bench: Bench, clock: Clock) -> None:
    bench.beat("w1")
    bench.dispatch()
    bench.beat("w1")
    assert bench.client.exists(keys.PREFIX + "asleep")
    pass_time(bench, clock, 2.6)
    bench.beat("w1")
    assert not bench.client.exists(keys.PREFIX + "asleep")


def test_what_a_silent_worker_did_not_claim_goes_to_another_before_its_lease_is_over(
    bench: Bench, clock: Clock
) -> None:
    running, unclaimed = bench.run_one("w1"), dispatched(bench, "w1")
    late = bench.releases("w1")
    sweep_on(bench)
    pass_time(bench, clock, 2.6)
    assert sweep_on(bench) == 0
    assert (bench.job(running.number).stage, bench.job(unclaimed).stage) == ("running", "waiting")
    assert bench.count("unclaimed_jobs") == 1
    bench.beat("w2")
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim("w2")] == [unclaimed]
    assert bench.runs("w1").claim([unclaimed], dispatch=late[0].dispatch, nonce="late") == []


def test_a_number_without_a_record_does_not_stop_the_sweep(bench: Bench) -> None:
    due = dispatched(bench)
    for index in ("dispatched", "delayed", "deadlines"):
        bench.client.zadd(keys.PREFIX + index, {"0" * 32: 1})
    bench.make_due("dispatched")
    bench.sweep()
    assert bench.job(due).stage == "waiting"
    assert bench.sweep().unclaimed == bench.sweep().due == 0
