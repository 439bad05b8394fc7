"""Random walks through the life of jobs; after each step the store must be of one mind with itself and with a model."""

from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule, run_state_machine_as_test

from jobs import keys
from jobs.connection import connect
from jobs.errors import JobNotEnded, JobNotFound
from jobs.limits import LaneLimits, Limits
from jobs.listing import STATUSES
from jobs.record import Stage
from jobs.runs import Claim
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, UNSENT, Bench, running_bench

IN_FLIGHT = 3
SLOTS = 4
MODELS = ("a", "b")
PROJECTS = ("p", "q")
WORKERS = ("w1", "w2")
LIMITS = Limits(default=LaneLimits(in_flight=IN_FLIGHT))


@dataclass(slots=True)
class Model:
    """What must be true of a job whatever order things happen in."""

    project: str
    lane: str
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
        self.bench: Bench = self.stack.enter_context(running_bench(client, limits=LIMITS))
        self.known: dict[str, Model] = {}
        self.forgotten: set[str] = set()

    def teardown(self) -> None:
        try:
            self.drain()
        finally:
            self.stack.close()

    def drain(self) -> None:
        """Lets everything that is left run to its end; then nothing may be held any more."""
        for worker in WORKERS:
            self.bench.kill(worker)
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
            if any(kind in key for kind in ("lane_slots:", "worker_jobs:", "delayed", "dispatched"))
        }
        assert held == set()
        assert self.bench.count("queued_bytes") == 0
        assert all(self.bench.job(number).finished_at for number in self.known)

    def number(self, pick: int) -> str | None:
        return list(self.known)[pick % len(self.known)] if self.known else None

    @rule(model=st.sampled_from(MODELS), project=st.sampled_from(PROJECTS), attempts=st.integers(1, 3),
          on_unknown=st.sampled_from(["retry", "fail"]), size=st.integers(1, 50))  # fmt: skip
    def submit(self, model: str, project: str, attempts: int, on_unknown: str, size: int) -> None:
        number = f"{len(self.known) + len(self.forgotten):032x}"  # the same each time, so that a failure can be shrunk
        self.bench.submit(
            number=number, model=model, project=project, max_attempts=attempts, on_unknown=on_unknown, body=b"x" * size,
            echo="", queue_deadline_seconds=3000.0,
        )  # fmt: skip
        self.known[number] = Model(project, f"default:{model}", size)

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
        assert self.spent(claim.number) == spent + put_back

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
            ended = self.bench.job(number).finished_at is not None
            try:
                self.bench.store.delete(number, project=None)
            except JobNotEnded:
                assert not ended
                return
            assert ended
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
        for model in MODELS:
            for project in PROJECTS:
                queue = f"{keys.PREFIX}lane_queue:{project}:default:{model}"
                found.add("waiting", client.zrange(queue, 0, -1))
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
    def slots_are_those_of_the_jobs_that_workers_hold(self) -> None:
        held = {number for worker in (*WORKERS, "last") for number in self.bench.workers.held_by(worker)}
        for model in MODELS:
            lane = f"default:{model}"
            slots = self.bench.slots(lane)
            assert slots == {number for number in held if self.known[number].lane == lane}
            assert len(slots) <= IN_FLIGHT

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
            max_examples=25, stateful_step_count=40, deadline=None, derandomize=False, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
