"""What this process has claimed, each attempt on a thread (under gevent: a greenlet) of its own."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from jobs.log_context import Said, about
from worker.calls import CANCELLED, STOPPING, SUPERSEDED, Calls

log = logging.getLogger(__name__)


class Claimed(Protocol):
    """One attempt that was given to this process: at a job, or at a delivery."""

    @property
    def number(self) -> str: ...

    @property
    def attempt(self) -> int: ...

    @property
    def said(self) -> Said: ...


C = TypeVar("C", bound=Claimed)
C_co = TypeVar("C_co", bound=Claimed, covariant=True)


class Claims(Protocol[C_co]):
    """Claims what one message released; `nonce` makes the same claim, asked for twice, give the same answer."""

    def __call__(self, numbers: Sequence[str], /, *, dispatch: str, nonce: str) -> Sequence[C_co]: ...


class Crew(Generic[C]):
    """`make` is one attempt, from its claim to what is written of it."""

    def __init__(self, claim: Claims[C], make: Callable[[C], None], calls: Calls, *, slots: int) -> None:
        self._claim = claim
        self._make = make
        self._calls = calls
        self._slots = slots
        self._threads = ThreadPoolExecutor(max_workers=slots, thread_name_prefix="attempt")
        self._held: set[tuple[str, int]] = set()
        self._changed = threading.Condition()
        self._draining = False

    @property
    def open_slots(self) -> int:
        """What the process offers: all of its slots, or none when it drains."""
        return 0 if self._draining else self._slots

    @property
    def held(self) -> set[str]:
        """The numbers at which an attempt is under way here."""
        with self._changed:
            return {number for number, _ in self._held}

    def take(self, numbers: Sequence[str], *, dispatch: str) -> None:
        """Claims what one message released and starts it. A message that came for nothing changes nothing."""
        if self._draining:
            return
        for claim in self._claim(numbers, dispatch=dispatch, nonce=secrets.token_hex(8)):
            self._calls.hang_up(claim.number, SUPERSEDED)
            with self._changed:
                self._held.add((claim.number, claim.attempt))
            self._threads.submit(self._run, claim)

    def _run(self, claim: C) -> None:
        with about(**claim.said):
            try:
                self._held_while(claim)
            except Exception:
                log.exception("an attempt ended by surprise; what it was at will be given back")

    def _held_while(self, claim: C) -> None:
        try:
            self._make(claim)
        finally:
            with self._changed:
                self._held.discard((claim.number, claim.attempt))
                self._changed.notify_all()

    def cancel(self, numbers: Sequence[str]) -> None:
        for number in numbers:
            self._calls.hang_up(number, CANCELLED)

    def drain(self) -> None:
        """Takes nothing new from now on."""
        self._draining = True

    def finish(self, *, grace_seconds: float) -> int:
        """Waits for what runs, hangs up on what is left when the grace ends, and answers how many that were."""
        with self._changed:
            self._changed.wait_for(lambda: not self._held, timeout=grace_seconds)
            left = len(self._held)
            self._calls.hang_up_all(STOPPING)
            self._changed.wait_for(lambda: not self._held, timeout=2)
        self._threads.shutdown(wait=False, cancel_futures=True)
        return left
