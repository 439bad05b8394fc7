"""The processes' steps, each one round trip to the real store: what may happen next in a world, and doing it.

A call whose answer is lost was run and is not known to have been: whoever made it still stands before it, and makes it
again or dies. A step that costs a fault is not in a world that has none left.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import redis

from jobs import keys, scripts
from jobs.claims import Claim
from jobs.lanes import Lanes, backlog_of
from jobs.limits import Limits
from jobs.runs import Runs
from jobs.scripts import Call
from jobs.store import JobStore, Sameness
from jobs.workers import Workers
from tests.factories import new_job
from tests.fakes.bench import ABOUT, ANSWERED, COMPLETED, FAILED, FAILURE
from tests.model.frozen import NOW_MS
from tests.model.rules import MAX_ATTEMPTS
from tests.model.store_state import Contents, released
from tests.model.world import NAMES, NUMBERS, Held, Message, Phase, World
from worker import closing

Step = Callable[[], World] | World
"""What to do; or the world after it, where the store has no part in it."""


class Broken(Exception):
    """A script's answer that it must not give."""


class Direct:
    """Makes each call at once, on the thread that asks for it."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def run(self, call: Call) -> Any:
        return scripts.run(self._client, call.encoded())


@dataclass(slots=True)
class Actors:
    """`jobs` are submitted, one after the other; each worker has `slots`."""

    client: redis.Redis
    jobs: int = 1
    slots: int = 1

    @property
    def store(self) -> JobStore:
        return JobStore(self.client, max_queued_bytes=10**9)

    @property
    def workers(self) -> Workers:
        return Workers(self.client)

    def runs(self, name: str) -> Runs:
        return Runs(Direct(self.client), self.client, worker=name)  # type: ignore[arg-type]

    def begin(self) -> None:
        for name in NAMES:
            self.workers.beat(name, slots=self.slots, about=ABOUT)

    def steps(self, world: World, contents: Contents) -> Iterator[tuple[str, Step]]:
        """What may happen, by name. Left out is what changes nothing: a dispatch of an empty queue, a beat that is
        like the one before, a sweep before anything is due.
        """
        yield from self._of_callers(world)
        if "backlogs" in contents:
            yield "dispatch", lambda: self.dispatch(world)
        if any(
            score <= NOW_MS
            for name in ("workers", "dispatched", "delayed")
            for score in contents.get(name, {}).values()
        ):
            yield "sweep", lambda: self.sweep(world)
        yield from self._of_time(world, contents)
        for place, worker in enumerate(world.workers):
            if worker.alive:
                yield from self._of_worker(world, contents, place)

    # What callers do --------------------------------------------------------------------------------------------------

    def _of_callers(self, world: World) -> Iterator[tuple[str, Step]]:
        if world.submitted < self.jobs:
            number = NUMBERS[world.submitted]
            known = replace(world, submitted=world.submitted + 1)
            yield from _once_or_unheard(f"submit {number[-1]}", world, lambda: self._submit(number), lambda _: known)
        for number in NUMBERS[: world.submitted] if world.cancels else ():
            fewer = replace(world, cancels=world.cancels - 1)
            yield f"cancel {number[-1]}", partial(self._cancel, number, fewer)

    def _cancel(self, number: str, after: World) -> World:
        self.store.cancel(number, project=None)
        return after

    def _submit(self, number: str) -> None:
        job = new_job(number=number, model="m", backlog=backlog_of("m"), max_attempts=MAX_ATTEMPTS, echo="")
        self.store.submit(job, Sameness(digest=number))

    # What any worker does for all, and time ---------------------------------------------------------------------------

    def dispatch(self, world: World) -> World:
        Lanes(self.client, Limits()).dispatch("leader")
        return world

    def sweep(self, world: World) -> World:
        self.pass_time()
        self.workers.sweep()
        return world

    def pass_time(self, *, over: Sequence[str] = (), due: Sequence[str] = (), look_again: bool = False) -> None:
        """Another sweep may come. The leases of `over` run out, what is in the time indexes `due` is due, and with
        `look_again` half a minute passes in which everybody beats.
        """
        with self.client.pipeline(transaction=False) as pipeline:
            pipeline.delete(keys.SWEEP)
            pipeline.hset(keys.COUNTERS, "swept", NOW_MS)
            if over:
                pipeline.zadd(keys.WORKERS, dict.fromkeys(over, 1), xx=True)
            for index in due:
                pipeline.zunionstore(keys.PREFIX + index, {keys.PREFIX + index: 0})
            if look_again:
                pipeline.zunionstore(keys.BACKLOGS, {keys.BACKLOGS: 0})
                for name in NAMES:
                    pipeline.hdel(keys.worker(name), "stalled")
            pipeline.execute()

    def _of_time(self, world: World, contents: Contents) -> Iterator[tuple[str, Step]]:
        stalled = any("stalled" in contents.get(f"worker:{name}", {}) for name in NAMES)
        if stalled or any(score > NOW_MS * 1000 for score in contents.get("backlogs", {}).values()):
            yield "half a minute passes", lambda: _then(self.pass_time(look_again=True), world)
        if any(score > NOW_MS for score in contents.get("delayed", {}).values()):
            yield "what is delayed is due", lambda: _then(self.pass_time(due=["delayed"]), world)
        if "dispatched" in contents and world.faults:
            yield "claims are overdue", lambda: _then(self.pass_time(due=["dispatched"]), world.with_fault())
        for place, name in enumerate(NAMES):
            alive = world.workers[place].alive
            if contents.get("workers", {}).get(name, 0) > NOW_MS and (world.faults or not alive):
                after = world.with_fault() if alive else world
                yield f"{name}'s lease ends", lambda name=name, after=after: _then(self.pass_time(over=[name]), after)

    # What a worker does -----------------------------------------------------------------------------------------------

    def _of_worker(self, world: World, contents: Contents, place: int) -> Iterator[tuple[str, Step]]:
        name, worker = NAMES[place], world.workers[place]
        if worker.heard or f"worker_cancels:{name}" in contents or contents.get("workers", {}).get(name, 0) <= NOW_MS:
            yield f"{name} beats", lambda: self._beat(world, place)
        if contents.get(f"queue:{name}"):
            yield f"{name} receives", lambda: self._receive(world, contents, place)
            if world.faults:
                yield f"{name} receives, and so will another", _doubled(world.with_fault(), contents, place)
        for message in worker.messages:
            taken = world.with_worker(place, messages=tuple(m for m in worker.messages if m != message))
            claim = lambda message=message: self._claim(contents, name, message)  # noqa: E731
            hold = lambda claims, taken=taken: _holding(taken, place, claims)  # noqa: E731
            yield from _once_or_unheard(f"{name} claims {_shown(message)}", world, claim, hold)
        for held in worker.held:
            yield from self._of_attempt(world, place, held)
        if world.faults:
            yield from self._of_misfortune(world.with_fault(), contents, place)

    def _of_misfortune(self, after: World, contents: Contents, place: int) -> Iterator[tuple[str, Step]]:
        """A crash, a stop, and jobs that no thread holds any more; each costs its fault in `after`."""
        name, worker = NAMES[place], after.workers[place]
        gone = after.with_worker(place, alive=False, messages=(), held=(), heard=())
        yield f"{name} dies", gone
        yield f"{name} leaves", lambda: _then(self.workers.leave(name), gone)
        missing = contents.get(f"worker_jobs:{name}", frozenset()) - {held.claim.number for held in worker.held}
        if missing:
            yield f"{name} gives back", lambda: _then(self.workers.give_back(name, sorted(missing)), after)

    def _beat(self, world: World, place: int) -> World:
        worker = world.workers[place]
        told = self.workers.beat(NAMES[place], slots=self.slots, about=ABOUT, heard=worker.heard).cancelled
        held = tuple(_hung_up(each) if each.claim.number in told else each for each in worker.held)
        return world.with_worker(place, held=held, heard=tuple(sorted(told)))

    def _receive(self, world: World, contents: Contents, place: int) -> World:
        self.client.rpop(keys.worker_queue(NAMES[place]))
        return _doubled(world, contents, place)

    def _claim(self, contents: Contents, name: str, message: Message) -> list[Claim]:
        """Takes what was released to this worker by this dispatch, or is its own by this handling, and nothing else."""
        claims = self.runs(name).claim(message.numbers, dispatch=message.dispatch, nonce=message.nonce)
        expected = [number for number in message.numbers if _is_ours(contents.get(f"job:{number}", {}), name, message)]
        if [claim.number for claim in claims] != expected:
            raise Broken(f"{name} was given {[claim.number[-1] for claim in claims]} for {_shown(message)}")
        return claims

    def _of_attempt(self, world: World, place: int, held: Held) -> Iterator[tuple[str, Step]]:
        name, claim = NAMES[place], held.claim
        runs, label = self.runs(name), f"{name} {{}} {claim.number[-1]} attempt {claim.attempt}"
        without = world.with_worker(place, held=tuple(each for each in world.workers[place].held if each != held))

        def done(_: object) -> World:
            return without

        def still(phase: Phase) -> World:
            return without.with_worker(place, held=(*without.workers[place].held, Held(claim, phase)))

        match held.phase:
            case "claimed":
                go = lambda sent: _marked(without, place, claim, sent)  # noqa: E731
                yield from _once_or_unheard(label.format("marks"), world, lambda: runs.mark_sent(claim), go)
            case "sent":
                yield label.format("is answered at"), still("finishing")
                yield label.format("is refused at"), still("failing")
            case "finishing":
                finish = lambda: runs.finish(claim, COMPLETED, ANSWERED)  # noqa: E731
                yield from _once_or_unheard(label.format("finishes"), world, finish, done)
            case "failing" | "called_off":
                yield from _once_or_unheard(label.format("fails"), world, lambda: _fail(runs, claim), done)
            case "refused":
                snooze = lambda: runs.snooze(claim, closing.unsent(), delay_seconds=0, reason="")  # noqa: E731
                yield from _once_or_unheard(label.format("lets go of"), world, snooze, done)


def _once_or_unheard(
    name: str, world: World, call: Callable[[], Any], then: Callable[[Any], World]
) -> Iterator[tuple[str, Step]]:
    """A call with its answer, and one whose answer is lost."""
    yield name, lambda: then(call())
    if world.faults:
        yield f"{name}, unheard", lambda: _then(call(), world.with_fault())


def _then(_: object, world: World) -> World:
    return world


def _doubled(world: World, contents: Contents, place: int) -> World:
    """The oldest message is in the worker's hands, under a nonce that nothing else bears."""
    worker = world.workers[place]
    numbers, dispatch = released(contents[f"queue:{NAMES[place]}"][-1])
    used = {message.nonce for each in world.workers for message in each.messages}
    used |= {contents.get(f"job:{number}", {}).get("nonce", "") for number in NUMBERS}
    nonce = next(str(n) for n in range(10) if str(n) not in used)
    return world.with_worker(place, messages=(*worker.messages, Message(numbers, dispatch, nonce)))


def _is_ours(job: dict[str, str], name: str, message: Message) -> bool:
    if (job.get("worker"), job.get("dispatch")) != (name, message.dispatch):
        return False
    return job["stage"] == "dispatched" or (job["stage"] == "running" and job.get("nonce") == message.nonce)


def _holding(world: World, place: int, claims: list[Claim]) -> World:
    new = tuple(Held(claim, "claimed") for claim in claims)
    return world.with_worker(place, held=(*world.workers[place].held, *new))


def _marked(world: World, place: int, claim: Claim, sent: bool) -> World:
    """What may be sent is sent: the endpoint is called."""
    held = (*world.workers[place].held, Held(claim, "sent" if sent else "refused"))
    return (world.with_call(claim.number) if sent else world).with_worker(place, held=held)


def _hung_up(held: Held) -> Held:
    return replace(held, phase="called_off") if held.phase == "sent" else held


def _fail(runs: Runs, claim: Claim) -> None:
    if claim.attempts_spent + 1 >= MAX_ATTEMPTS:
        runs.finish(claim, FAILURE, FAILED)
    else:
        runs.retry(claim, FAILED, delay_seconds=0)


def _shown(message: Message) -> str:
    return f"{','.join(number[-1] for number in message.numbers)} of {message.dispatch}"
