"""What the store takes this process to hold and no thread of it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from worker.crew import Crew

CHECK_BEATS = 10


class Ledger(Protocol):
    """The store's word on what each process holds."""

    def held_by(self, process_id: str, /) -> set[str]: ...

    def give_back(self, process_id: str, numbers: Sequence[str], /) -> int: ...


class Missing:
    """Looks with every tenth beat. What is missing twice is given back; once may be a claim whose answer is still on
    its way.
    """

    def __init__(self, ledger: Ledger, crew: Crew[Any], *, process_id: str) -> None:
        self._ledger = ledger
        self._crew = crew
        self._process_id = process_id
        self._beats = 0
        self._missing: set[str] = set()

    def beat(self) -> None:
        self._beats += 1
        if self._beats % CHECK_BEATS == 0:
            self._look()

    def _look(self) -> None:
        missing = self._ledger.held_by(self._process_id) - self._crew.held
        twice = missing & self._missing
        if twice:
            self._ledger.give_back(self._process_id, sorted(twice))
        self._missing = missing - twice
