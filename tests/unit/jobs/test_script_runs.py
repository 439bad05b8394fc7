"""Calls of one script that run as one."""

import time
from dataclasses import dataclass, field
from typing import Any, cast

import redis

from jobs import keys
from jobs.coalesce import Coalescer
from jobs.runs import Runs
from jobs.scripts import MOST_TOGETHER, Call, run_all
from jobs.series import Series
from jobs.store import JobStore
from jobs.usage import UsageLedger
from tests.factories import new_job, unique
from tests.fakes.bench import COMPLETED, Bench, answered

LANE = "default:m"


def runs_so_far(client: redis.Redis) -> int:
    return int(client.info("commandstats").get("cmdstat_evalsha", {"calls": 0})["calls"])


def mark(number: str, *, worker: str = "w1") -> Call:
    return Call(name="mark_sent", keys=[keys.job(number)], args=[worker, 1])


def test_calls_of_one_script_are_one_command_and_each_has_its_own_answer(bench: Bench) -> None:
    claims = bench.run_all(3)
    run_all(bench.client, [mark("none")])  # loads the script
    before = runs_so_far(bench.client)
    calls = [mark(claims[0].number), mark("none"), mark(claims[1].number), mark(claims[2].number, worker="w2")]
    assert run_all(bench.client, calls) == [1, 0, 1, 0]
    assert runs_so_far(bench.client) == before + 1


def test_so_many_calls_and_no_more_run_as_one(bench: Bench) -> None:
    run_all(bench.client, [mark("none")])
    before = runs_so_far(bench.client)
    assert run_all(bench.client, [mark("none")] * (2 * MOST_TOGETHER + 1)) == [0] * (2 * MOST_TOGETHER + 1)
    assert runs_so_far(bench.client) == before + 3


def test_answers_stand_where_their_calls_stood(bench: Bench) -> None:
    claim = bench.run_one()
    beat = Call(name="heartbeat", args=["w9", 1000, 1, "{}"])
    assert run_all(bench.client, [beat, mark(claim.number), beat, mark("none")]) == [[[], []], 1, [[], []], 0]


def test_one_that_fails_leaves_those_before_and_after_it_as_they_are(bench: Bench) -> None:
    first, broken, last = bench.run_all(3)
    bench.client.delete(keys.job(broken.number))
    bench.client.set(keys.job(broken.number), "not a hash")
    answers = run_all(bench.client, [mark(first.number), mark(broken.number), mark(last.number)])
    assert (answers[0], answers[2]) == (1, 1)
    assert isinstance(answers[1], redis.ResponseError)
    assert "WRONGTYPE" in str(answers[1])


def test_a_fault_of_the_script_itself_is_the_error_of_its_call_alone(bench: Bench) -> None:
    claim = bench.run_one()
    broken = Call(
        name="finish", keys=[keys.job(claim.number)], args=[claim.number, claim.attempt, "completed", "no JSON", ""]
    )
    answers = run_all(bench.client, [broken, broken])
    assert all(isinstance(answer, redis.ResponseError) for answer in answers)
    assert bench.job(claim.number).status == "in_progress"


def test_a_statistic_that_cannot_be_written_is_no_error_of_the_calls_that_it_counts(bench: Bench) -> None:
    first, second = bench.run_all(2, project="p")
    for series in bench.client.keys("{respool}:series:*"):
        bench.client.delete(series)
        bench.client.hset(series, "no", "series")
    gathered = Gathered()
    for claim in (first, second):
        Runs(cast(Coalescer, gathered), bench.client, worker="w1").finish(claim, COMPLETED, answered(7))
    assert run_all(bench.client, gathered.calls) == [b"finished"] * 2
    assert bench.client.llen(keys.PREFIX + "lane_runs:" + first.lane) == 2


def test_jobs_that_are_submitted_together_keep_their_order(bench: Bench) -> None:
    store = JobStore(bench.client, max_queued_bytes=2**40)
    jobs = [new_job(project="p") for _ in range(40)]
    assert {answer[0] for answer in run_all(bench.client, [store.submission(job, unique()) for job in jobs])} == {
        b"created"
    }
    created = [bench.job(job.number).created_at for job in jobs]
    assert created == sorted(set(created))
    assert bench.client.zrange(keys.backlog_jobs(bench.job(jobs[0].number).backlog, "p"), 0, -1) == [
        job.number.encode() for job in jobs
    ]


@dataclass(slots=True)
class Gathered:
    """Stands where calls are coalesced, and keeps them."""

    calls: list[Call] = field(default_factory=list)

    def run(self, call: Call) -> Any:
        self.calls.append(call)
        return b"finished"


def end_five(bench: Bench, project: str, *, at_a_time: int) -> list[Any]:
    """What the ends of five jobs left, besides the jobs."""
    gathered = Gathered()
    for claim in bench.run_all(5, project=project):
        Runs(cast(Coalescer, gathered), bench.client, worker="w1").finish(claim, COMPLETED, answered(7, nano=3))
    before = bench.client.hgetall(keys.METRICS)
    for first in range(0, 5, at_a_time):
        calls = gathered.calls[first : first + at_a_time]
        assert run_all(bench.client, calls) == [b"finished"] * at_a_time
    counts = {name: int(count) - int(before.get(name, 0)) for name, count in bench.client.hgetall(keys.METRICS).items()}
    usage, today = UsageLedger(bench.client), UsageLedger(bench.client).today()
    ends = sum(point.completed for point in Series(bench.client).points(project, 0, time.time(), "hour")[-2:])
    return [
        *(
            [row.counts for row in usage.rows(project=project, first=today, last=today)],
            bench.projects.get(project).tokens_today,
        ),
        *(bench.client.hgetall(keys.project(project)), bench.client.xlen(keys.events(project)), ends),
        *(
            {name: by for name, by in counts.items() if by and b"_ms" not in name and b"bucket" not in name},
            bench.slots(LANE),
        ),
    ]


def test_five_ends_in_one_run_leave_what_five_runs_leave(bench: Bench) -> None:
    assert end_five(bench, "one", at_a_time=5) == end_five(bench, "five", at_a_time=1)
