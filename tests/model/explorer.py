"""Every order in which the steps of a small world can fall, breadth first, by the real scripts on a real server."""

import hashlib
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Any

from jobs import keys
from tests.fakes.bench import ABOUT, ANSWERED, COMPLETED
from tests.model import rules
from tests.model.actors import Actors, Broken
from tests.model.store_state import StoreState, StoreStates, essence, released
from tests.model.world import NAMES, NUMBERS, World

HEALER = "healer"
HEALING_ROUNDS = 12


class Violation(AssertionError):
    """A rule was broken; says by which steps it came to that."""


@dataclass(slots=True)
class Found:
    """`states` are different ones; `healed` counts what was left of them when everybody had died, from each of which
    all was brought to its end; `ends` counts by status how.
    """

    states: int = 0
    transitions: int = 0
    healed: int = 0
    deepest: int = 0
    seconds: float = 0.0
    whole: bool = True
    steps: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Seen:
    """How a state was first reached: from which, by what."""

    before: int
    step: str
    depth: int


@dataclass(slots=True)
class Explorer:
    """`most` bounds the states whose steps are taken; beyond it the answer is not `whole`."""

    actors: Actors
    most: int = 10**9
    found: Found = field(default_factory=Found)
    _seen: dict[bytes, int] = field(default_factory=dict)
    _ways: list[_Seen] = field(default_factory=list)
    _healed: set[bytes] = field(default_factory=set)
    _frontier: deque[tuple[int, World, StoreState]] = field(default_factory=deque)

    def run(self, world: World) -> Found:
        """Raises Violation for the first state that breaks a rule."""
        began = time.monotonic()
        self.actors.begin()
        states = StoreStates(self.actors.client)
        self._reach(world, states.take(), states, _Seen(-1, "", 0))
        while self._frontier:
            if self.found.states >= self.most:
                self.found.whole = False
                break
            self._leave(*self._frontier.popleft(), states)
        self.found.seconds = time.monotonic() - began
        return self.found

    def _leave(self, place: int, world: World, state: StoreState, states: StoreStates) -> None:
        """Takes every step that may follow."""
        for name, step in self.actors.steps(world, state.contents):
            self.found.transitions += 1
            self.found.steps[_kind(name)] += 1
            way = _Seen(place, name, self._ways[place].depth + 1)
            if isinstance(step, World):
                self._reach(step, state, states, way)
                continue
            states.put(state)
            try:
                after = step()
            except Broken as error:
                self._refuse([str(error)], way)
            taken = states.take()
            self._refuse(list(rules.changed_end(state.contents, taken.contents)), way)
            self._reach(after, taken, states, way)

    def _reach(self, world: World, state: StoreState, states: StoreStates, way: _Seen) -> None:
        self._refuse(list(rules.broken(world, state.contents)), way)
        name = _digest(_renamed(world, state))
        if name in self._seen:
            return
        self._seen[name] = len(self._ways)
        self._ways.append(way)
        self._frontier.append((len(self._ways) - 1, world, state))
        self.found.states += 1
        self.found.deepest = max(self.found.deepest, way.depth)
        self._heal(world, state, states, way)

    def _heal(self, world: World, state: StoreState, states: StoreStates, way: _Seen) -> None:
        """Everybody dies; a sweep and one worker that nothing befalls bring all that was acknowledged to one end."""
        name = _digest((world.submitted, essence(state.contents)[0]))
        if name in self._healed:
            return
        states.put(state)
        self.actors.pass_time(over=NAMES)
        self.actors.workers.sweep()
        swept = states.take()
        left = _digest((world.submitted, essence(swept.contents)[0]))
        if left not in self._healed:
            self._refuse(list(rules.broken(world, swept.contents)), way)
            self._finish(world)
            healed = states.take()
            self._refuse([*rules.broken(world, healed.contents), *self._left(world, healed)], way)
            self.found.healed += 1
        self._healed |= {name, left}

    def _finish(self, world: World) -> None:
        actors, runs = self.actors, self.actors.runs(HEALER)
        for turn in range(HEALING_ROUNDS):
            if all(job and job.finished_at for job in actors.store.get_all(NUMBERS[: world.submitted])):
                break
            actors.pass_time(due=["delayed"], look_again=True)
            actors.workers.sweep()
            actors.workers.beat(HEALER, slots=9, about=ABOUT)
            actors.dispatch(world)
            for numbers, dispatch in _messages(actors):
                for claim in runs.claim(numbers, dispatch=dispatch, nonce=f"healing {turn}"):
                    assert runs.mark_sent(claim)
                    runs.finish(claim, COMPLETED, ANSWERED)
        actors.workers.leave(HEALER)

    def _left(self, world: World, healed: StoreState) -> list[str]:
        contents = healed.contents
        told = []
        for number in NUMBERS[: world.submitted]:
            status = contents[f"job:{number}"]["status"]
            self.found.ends[status] += 1
            if status not in rules.ENDS:
                told.append(f"{number[-1]}: never ends, it is {contents[f'job:{number}']['stage']}")
        held = [key for key in contents if key.startswith(("worker_jobs:", "lane_slots:", "project_slots:", "worker:"))]
        unfinished = [number for number in NUMBERS if contents.get(f"job:{number}", {}).get("status") == "queued"]
        return told + ([f"left behind: {held}"] if held and not unfinished else [])

    def _refuse(self, told: list[str], way: _Seen) -> None:
        if not told:
            return
        steps = []
        while way.before >= 0:
            steps.append(way.step)
            way = self._ways[way.before]
        raise Violation("; ".join(told) + "\n  after: " + "\n         ".join(reversed(steps)))


def _messages(actors: Actors) -> list[Any]:
    found = []
    while raw := actors.client.rpop(keys.worker_queue(HEALER)):
        found.append(released(raw.decode()))
    return found


def _kind(step: str) -> str:
    """Its verb: names of workers and jobs left out."""
    words = [word for word in step.replace("'s", "").replace(",", "").split() if word not in NAMES]
    return " ".join(word for word in words if not word.isdigit() and word not in ("of", "attempt"))


def _digest(value: Any) -> bytes:
    return hashlib.blake2b(repr(value).encode(), digest_size=16).digest()


def _renamed(world: World, state: StoreState) -> Any:
    """The state in one form: whichever numbers its dispatches came by, and whichever order things were picked up in."""
    messages = [message for worker in world.workers for message in worker.messages]
    store, places = essence(state.contents, [message.dispatch for message in messages])
    for place, worker in enumerate(world.workers):
        renamed = (replace(message, dispatch=str(places[message.dispatch])) for message in worker.messages)
        in_hand = tuple(sorted(renamed, key=repr)), tuple(sorted(worker.held, key=repr))
        world = world.with_worker(place, messages=in_hand[0], held=in_hand[1])
    return repr(world), store
