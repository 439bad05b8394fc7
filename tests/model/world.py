"""What the processes around the store hold in their memory: values, so that a state can be gone back to."""

from dataclasses import dataclass, replace
from typing import Literal

from jobs.claims import Claim

Phase = Literal["claimed", "sent", "finishing", "failing", "refused", "called_off"]
"""Of an attempt: not yet marked as sent; sent, its answer awaited; its answer there and being written; not to be sent;
hung up on, since its job was cancelled."""

NUMBERS = tuple(f"{n:032x}" for n in range(1, 4))
NAMES = ("w1", "w2")


@dataclass(frozen=True, slots=True)
class Message:
    """A release as one handling of its message has it."""

    numbers: tuple[str, ...]
    dispatch: str
    nonce: str


@dataclass(frozen=True, slots=True)
class Held:
    claim: Claim
    phase: Phase


@dataclass(frozen=True, slots=True)
class WorkerState:
    """`heard` are the cancelled jobs that its last beat told it of."""

    alive: bool = True
    messages: tuple[Message, ...] = ()
    held: tuple[Held, ...] = ()
    heard: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`faults` is how many more may happen, `submitted` how many jobs were acknowledged, `cancels` how many more may be
    asked for; `calls` counts for each job how often the endpoint was called.
    """

    faults: int
    cancels: int = 0
    submitted: int = 0
    workers: tuple[WorkerState, WorkerState] = (WorkerState(), WorkerState())
    calls: tuple[int, ...] = (0,) * len(NUMBERS)

    def with_worker(self, place: int, **changes: object) -> "World":
        workers = list(self.workers)
        workers[place] = replace(workers[place], **changes)  # type: ignore[arg-type]
        return replace(self, workers=(workers[0], workers[1]))

    def with_call(self, number: str) -> "World":
        calls = list(self.calls)
        calls[NUMBERS.index(number)] += 1
        return replace(self, calls=tuple(calls))

    def with_fault(self) -> "World":
        return replace(self, faults=self.faults - 1)
