"""Random walks through the life of jobs; after each step the store must be of one mind with itself and with a model."""

import os
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from jobs import keys
from jobs.accounts import Account
from jobs.claims import Claim
from jobs.connection import connect
from jobs.errors import JobNotEnded, JobNotFailed, JobNotFound, OverLimit
from jobs.lane_states import LaneStates
from jobs.lanes import backlog_of, lane_of
from jobs.limits import LaneLimits, Limits
from jobs.listing import STATUSES
from jobs.projects import Projects
from jobs.record import Stage
from jobs.runs import Cut
from jobs.waiting import WaitingRoom
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench, running_bench
from tests.fakes.clock import stopped_clock

EXAMPLES = 800 if os.environ.get("RESPOOL_FUZZ") == "long" else 25
"""Walks of 40 steps."""
IN_FLIGHT = 3
PROJECT_IN_FLIGHT = 4
BUDGET = 500
TOKENS = 10
SLOTS = 4
MODELS = ("a", "b")
ACCOUNTS = ("first", "second")
LANES = [lane_of(model, account=account) for account in ACCOUNTS for model in MODELS]
BACKLOGS = [backlog_of(model) for model in MODELS] + LANES
PROJECTS = ("p", "q")
WORKERS = ("w1", "w2")
LIMITS = Limits(
    default=LaneLimits(in_flight=IN_FLIGHT),
    accounts=tuple(Account(name=name, url="http://127.0.0.1/v1") for name in ACCOUNTS),
)


@dataclass(slots=True)
class Model:
    """What must be true of a job whatever order things happen in."""

    project: str
    body_bytes: int
    ended_as: str | None = None


@dataclass(slots=True)
class Census:
    """Every place that can hold a job, read from Redis: the names of the places by job number."""

    places: dict[str, list[str]] = field(default_factory=dict)

    def add(self, place: str, members: Any) -> None:
        for member in members:
            self.places.setdefault(member.decode(), []).append(place)


class JobLife(RuleBasedStateMachine):
    claims = Bundle("claims")
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        client = self.stack.enter_context(connect(self.url))
        client.flushall()
        # Time stands still, or a lease would run out on a machine that is slow.
        stopped_clock(client, self.stack.enter_context(pytest.MonkeyPatch.context()))
        self.bench: Bench = self.stack.enter_context(running_bench(client, limits=LIMITS))
        self.known: dict[str, Model] = {}
        self.forgotten: set[str] = set()
        self.lanes = LaneStates(client, LIMITS)
        self.projects = Projects(client)
        self.projects.change("q", {"max_in_flight": PROJECT_IN_FLIGHT, "tokens_per_day": BUDGET, "weight": 3})

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            self.stack.close()

    def drain(self) -> None:
        """Lets everything that is left run to its end; then nothing may be held any more."""
        for worker in WORKERS:
            self.bench.kill(worker)
        for lane in LANES:
            self.lanes.resume(lane, reason="", by="test")
        self.projects.change("q", {"tokens_per_day": None})
        for _ in range(100):
            if all(self.bench.job(number).finished_at for number in self.known):
                break
            self.bench.sweep()
            self.bench.make_due("delayed")
            self.bench.sweep()
            self.bench.beat("last", slots=SLOTS)
            self.bench.dispatch()
            for claim in self.bench.claim("last"):
                self.bench.runs("last").finish(claim, COMPLETED, ANSWERED)
        self.one_place_each()
        self.bench.sweep()
        self.bench.workers.leave("last")
        held = {
            key
            for key in self.bench.all_keys()
            if any(kind in key for kind in ("_slots:", "worker_jobs:", "delayed", "dispatched", "_jobs:", "_parked:"))
        }
        assert held == set()
        assert self.bench.count("queued_bytes") == 0
        assert [project.held_tokens for project in self.projects.all()] == [0] * len(self.projects.all())
        assert all(self.bench.job(number).finished_at for number in self.known)

    def number(self, pick: int) -> str | None:
        return list(self.known)[pick % len(self.known)] if self.known else None

    @rule(model=st.sampled_from(MODELS), account=st.sampled_from([None, None, "second"]),
          project=st.sampled_from(PROJECTS), priority=st.integers(0, 9), attempts=st.integers(1, 3),
          on_unknown=st.sampled_from(["retry", "fail"]), size=st.integers(1, 50))  # fmt: skip
    def submit(
        self, model: str, account: str | None, project: str, priority: int, attempts: int, on_unknown: str, size: int
    ) -> None:
        number = f"{len(self.known) + len(self.forgotten):032x}"  # the same each time, so that a failure can be shrunk
        before = self.projects.get(project) if project == "q" else None
        try:
            self.bench.submit(
                number=number, model=model, project=project, max_attempts=attempts, on_unknown=on_unknown,
                body=b"x" * size, echo="", queue_deadline_seconds=3000.0, priority=priority,
                backlog=backlog_of(model, account=account),
            )  # fmt: skip
        except OverLimit:
            assert before is not None
            assert before.tokens_today + before.held_tokens + TOKENS > BUDGET
            assert self.projects.get(project) == before, "a refused submit took something"
            return
        self.known[number] = Model(project, size)

    @rule(worker=st.sampled_from(WORKERS), slots=st.sampled_from([0, 1, SLOTS]))
    def beat(self, worker: str, slots: int) -> None:
        self.bench.beat(worker, slots=slots)

    @rule()
    def dispatch(self) -> None:
        free = sum(max(0, worker.slots - worker.jobs) for worker in self.bench.workers.live())
        assert self.bench.dispatch().released <= free

    @rule(target=claims, worker=st.sampled_from(WORKERS))
    def claim(self, worker: str) -> Any:
        return multiple(*((worker, claim) for claim in self.bench.claim(worker)))

    @rule(target=claims, worker=st.sampled_from(WORKERS))
    def claim_from_messages_that_come_twice(self, worker: str) -> Any:
        """Another handling of a message is given nothing, the same one what it was given."""
        runs, found = self.bench.runs(worker), []
        for release in self.bench.releases(worker):
            first = runs.claim(release.numbers, dispatch=release.dispatch, nonce="first")
            assert runs.claim(release.numbers, dispatch=release.dispatch, nonce="second") == []
            assert runs.claim(release.numbers, dispatch=release.dispatch, nonce="first") == first
            found += first
        return multiple(*((worker, claim) for claim in found))

    @rule(target=claims, worker=st.sampled_from(WORKERS), sends=st.booleans())
    def go_on(self, worker: str, sends: bool) -> Any:
        """What happens when nothing goes wrong."""
        self.bench.beat(worker, slots=SLOTS)
        self.bench.dispatch()
        found = self.bench.claim(worker)
        assert [self.bench.runs(worker).mark_sent(claim) for claim in found if sends].count(False) == 0
        return multiple(*((worker, claim) for claim in found))

    @rule(worker=st.sampled_from(WORKERS))
    def lose_messages(self, worker: str) -> None:
        self.bench.releases(worker)

    @rule(held=claims)
    def mark_sent(self, held: tuple[str, Claim]) -> None:
        worker, claim = held
        record = self.bench.client.hmget(keys.job(claim.number), "stage", "attempt", "worker")
        ours = record == [b"running", b"%d" % claim.attempt, worker.encode()]
        assert self.bench.runs(worker).mark_sent(claim) is ours

    @rule(held=claims, fails=st.booleans())
    def finish(self, held: tuple[str, Claim], fails: bool) -> None:
        worker, claim = held
        before = self.known.get(claim.number)
        was_ended = before is not None and self.bench.job(claim.number).finished_at is not None
        end, closing = (FAILURE, FAILED) if fails else (COMPLETED, ANSWERED)
        answer = self.bench.runs(worker).finish(claim, end, closing)
        if before is None or was_ended:
            assert answer in {"late", "already"}
        elif not fails:
            assert answer == "finished"
        else:
            assert answer in {"finished", "stale"}

    @rule(held=claims, seconds=st.sampled_from([0.0, 600.0]))
    def retry(self, held: tuple[str, Claim], seconds: float) -> None:
        worker, claim = held
        spent = self.spent(claim.number)
        put_back = self.bench.runs(worker).retry(claim, FAILED, delay_seconds=seconds)
        assert self.spent(claim.number) == spent + (put_back == "put_back")

    @rule(held=claims, cut=st.sampled_from(["requests", "width", "account", "endpoint", "endpoint", "pause"]),
          seconds=st.sampled_from([0.0, 600.0]))  # fmt: skip
    def throttle(self, held: tuple[str, Claim], cut: Cut, seconds: float) -> None:
        worker, claim = held
        self.bench.runs(worker).throttle(claim, pause_seconds=seconds, reason="refused", cut=cut)

    @rule(lane=st.sampled_from(LANES), pauses=st.booleans())
    def steer(self, lane: str, pauses: bool) -> None:
        if pauses:
            assert self.lanes.pause(lane, seconds=None, reason="test", by="test").stopped
        else:
            assert not self.lanes.resume(lane, reason="", by="test").stopped

    @rule(held=claims, polls_later=st.booleans())
    def begin_upstream(self, held: tuple[str, Claim], polls_later: bool) -> None:
        """The response goes on upstream: whatever happens to the worker, its successor is to ask for it."""
        worker, claim = held
        runs = self.bench.runs(worker)
        record = self.bench.client.hmget(keys.job(claim.number), "stage", "attempt", "worker")
        ours = record == [b"running", b"%d" % claim.attempt, worker.encode()]
        assert runs.keep_upstream(claim, f"resp_up_{claim.number}") is ours
        if ours and polls_later:
            assert runs.poll_later(claim, UNSENT, delay_seconds=0, reason="later")
            assert self.bench.job(claim.number).backlog == claim.lane

    @rule(pick=st.integers(0, 100))
    def retry_by_hand(self, pick: int) -> None:
        if number := self.number(pick):
            before = self.bench.job(number)
            try:
                self.bench.store.retry(number, project=None)
            except JobNotFailed:
                assert before.status != "failed"
            except OverLimit:
                assert (before.project, before.status) == ("q", "failed")
            else:
                after = self.bench.job(number)
                assert (before.status, after.status, after.attempts_spent) == ("failed", "queued", 0)
                assert after.attempts == before.attempts
                self.known[number].ended_as = None

    @rule(held=claims, seconds=st.sampled_from([0.0, 600.0]))
    def snooze(self, held: tuple[str, Claim], seconds: float) -> None:
        worker, claim = held
        spent = self.spent(claim.number)
        self.bench.runs(worker).snooze(claim, UNSENT, delay_seconds=seconds, reason="rate_limited")
        assert self.spent(claim.number) == spent

    def spent(self, number: str) -> int:
        return self.bench.job(number).attempts_spent if number in self.known else 0

    @rule(pick=st.integers(0, 100))
    def cancel(self, pick: int) -> None:
        if number := self.number(pick):
            self.bench.store.cancel(number, project=None)

    @rule(pick=st.integers(0, 100))
    def delete(self, pick: int) -> None:
        if number := self.number(pick):
            held = {each for worker in (*WORKERS, "last") for each in self.bench.workers.held_by(worker)}
            may_go = self.bench.job(number).finished_at is not None and number not in held
            try:
                self.bench.store.delete(number, project=None)
            except JobNotEnded:
                assert not may_go
                return
            assert may_go
            del self.known[number]
            self.forgotten.add(number)

    @rule(worker=st.sampled_from(WORKERS))
    def kill(self, worker: str) -> None:
        self.bench.kill(worker)

    @rule(worker=st.sampled_from(WORKERS))
    def leave(self, worker: str) -> None:
        self.bench.workers.leave(worker)

    @rule(worker=st.sampled_from(WORKERS))
    def give_back(self, worker: str) -> None:
        self.bench.workers.give_back(worker, sorted(self.bench.workers.held_by(worker)))

    @rule(due=st.sampled_from(["", "", "delayed", "dispatched", "deadlines"]))
    def sweep(self, due: str) -> None:
        if due:
            self.bench.make_due(due)
        self.bench.sweep()

    @rule()
    def scan_finds_nothing_to_repair(self) -> None:
        assert sum(self.bench.workers.scan()) == 0

    def census(self) -> Census:
        client, found = self.bench.client, Census()
        for backlog in BACKLOGS:
            for project in PROJECTS:
                found.add("waiting", client.zrange(keys.backlog_jobs(backlog, project), 0, -1))
        for name in ("delayed", "dispatched"):
            found.add(name, client.zrange(keys.PREFIX + name, 0, -1))
        for worker in (*WORKERS, "last"):
            found.add(f"held by {worker}", client.smembers(keys.worker_jobs(worker)))
        return found

    @invariant()
    def one_place_each(self) -> None:
        census = self.census()
        for number, known in self.known.items():
            job, places = self.bench.job(number), census.places.pop(number, [])
            held = [place for place in places if place.startswith("held by")]
            match job.stage:
                case Stage.WAITING | Stage.DELAYED:
                    assert (job.status, places) == ("queued", [job.stage.value])
                case Stage.DISPATCHED:
                    assert (job.status, len(held)) == ("queued", 1)
                    assert sorted(places) == sorted(["dispatched", *held])
                case Stage.RUNNING:
                    assert (job.status, len(held), places) == ("in_progress", 1, held)
                case Stage.ENDED:
                    assert job.status in {"completed", "failed", "cancelled"}
                    assert len(held) <= 1  # a call that was called off is held until its worker has hung up
                    assert places == held
            assert known.ended_as in (None, job.status), "a terminal status changed"
            known.ended_as = job.status if job.finished_at is not None else None
        assert census.places == {}, "a job that does not exist is held somewhere"

    @invariant()
    def every_attempt_is_told_of_and_none_is_spent_that_was_not_made(self) -> None:
        for number in self.known:
            job = self.bench.job(number)
            assert [entry["number"] for entry in job.attempts] == list(range(1, len(job.attempts) + 1))
            assert int(self.bench.client.hget(keys.job(number), "attempt") or 0) == len(job.attempts)
            assert job.attempts_spent <= len(job.attempts)

    @invariant()
    def slots_are_those_of_the_jobs_that_workers_hold(self) -> None:
        held = {number for worker in (*WORKERS, "last") for number in self.bench.workers.held_by(worker)}
        for lane in LANES:
            slots = self.bench.slots(lane)
            assert slots == {number for number in held if self.lane_of(number) == lane}
            assert len(slots) <= IN_FLIGHT
        for project in PROJECTS:
            slots = {number.decode() for number in self.bench.client.smembers(keys.project_slots(project))}
            assert slots == {number for number in held if self.known[number].project == project}
        assert self.projects.get("q").in_flight <= PROJECT_IN_FLIGHT

    def goes_on_upstream(self, number: str) -> bool:
        return bool(self.bench.client.hexists(keys.job(number), "upstream"))

    def lane_of(self, number: str) -> str:
        return (self.bench.client.hget(keys.job(number), "lane") or b"").decode()

    @invariant()
    def what_is_held_is_what_the_jobs_under_way_may_take(self) -> None:
        for project in self.projects.all():
            alive = [known for known in self.known.values() if known.project == project.name and not known.ended_as]
            assert project.held_tokens == TOKENS * len(alive)

    @invariant()
    def whoever_waits_has_a_place_of_its_own_and_a_turn_to_come(self) -> None:
        waiting = [job for job in map(self.bench.job, self.known) if job.stage is Stage.WAITING]
        seen = WaitingRoom(self.bench.client, LIMITS).of(waiting)
        for backlog in BACKLOGS:
            for project in PROJECTS:
                queue = sorted(
                    (job for job in waiting if (job.backlog, job.project) == (backlog, project)),
                    key=lambda job: (0 if self.goes_on_upstream(job.number) else job.order, job.number),
                )
                assert [seen[job.number].position for job in queue] == list(range(1, len(queue) + 1))
                turns = self.bench.client.zscore(keys.backlog_projects(backlog), project)
                parked = self.bench.client.zscore(keys.backlog_parked(backlog), project)
                assert turns is None or parked is None, "a project has turns and has none"
                if queue:
                    assert turns is not None or parked is not None, "jobs wait that nobody will ever look at"
                    assert self.bench.client.zscore(keys.BACKLOGS, backlog) is not None

    @invariant()
    def the_queue_weighs_what_its_jobs_weigh(self) -> None:
        alive = [known.body_bytes for known in self.known.values() if known.ended_as is None]
        assert self.bench.count("queued_bytes") == sum(alive)

    @invariant()
    def each_job_is_listed_once_under_its_status(self) -> None:
        listed = sorted(
            (project, status, number.decode())
            for project in PROJECTS
            for status in STATUSES
            for number in self.bench.client.zrange(keys.index(project, status), 0, -1)
        )
        jobs = [self.bench.job(number) for number in self.known]
        assert listed == sorted((job.project, job.status, job.number) for job in jobs)

    @invariant()
    def what_was_deleted_stays_away(self) -> None:
        for number in self.forgotten:
            with pytest.raises(JobNotFound):
                self.bench.job(number)


@pytest.fixture
def life(redis_url: str) -> type[JobLife]:
    return type("JobLifeHere", (JobLife,), {"url": redis_url})


def test_whatever_happens_every_job_is_in_one_place_and_ends_once(life: type[JobLife]) -> None:
    run_state_machine_as_test(
        life,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=40, deadline=None, derandomize=False, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
