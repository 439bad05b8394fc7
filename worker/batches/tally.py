"""What a batch came to, line by line, as its files tell it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jobs.batches.input_line import read_line
from jobs.batches.lines import Line, line_number
from jobs.batches.record import Batch
from jobs.batches.told import told
from schemas import batch_line
from schemas.batch_line import CANCELLED, DELETED, EXPIRED


@dataclass(slots=True, kw_only=True)
class Tally:
    """`completed` lines stand in the output file, `failed` ones in the error file."""

    completed: int = 0
    failed: int = 0
    expired: int = 0
    usage: dict[str, Any] | None = None
    nano: int = 0

    def add(self, shown: Mapping[str, Any], line: Line | None) -> None:
        self.completed += is_good(shown)
        self.failed += not is_good(shown)
        self.expired += (shown["error"] or {}).get("code") == EXPIRED
        if line is not None and line.job is not None:
            self.nano += line.job.nano
            self.usage = _sum(self.usage, line.job.usage)


def told_line(batch: Batch, *, number: int, data: bytes, line: Line | None) -> dict[str, Any]:
    """The line of the batch's files that tells of its request; `line` is what was found of it.

    Nothing of the batch runs any more.
    """
    found = told(batch, line) if line is not None else None
    if found is not None:
        return found
    custom_id = read_line(data, endpoint=batch.endpoint).custom_id
    return batch_line.unrun(line_number(batch.number, number), custom_id=custom_id, code=_code_of_unrun(batch, number))


def is_good(line: Mapping[str, Any]) -> bool:
    """Whether it stands in the output file; all others stand in the error file."""
    return line["response"] is not None and line["response"]["status_code"] == 200


def _code_of_unrun(batch: Batch, number: int) -> str:
    if number <= batch.line:
        return DELETED
    return CANCELLED if batch.status == "cancelling" else EXPIRED


def _sum(first: dict[str, Any] | None, second: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Counts added by their names, also those within others."""
    if second is None:
        return first
    total = dict(first or {})
    for name, value in second.items():
        if isinstance(value, Mapping):
            before = total.get(name)
            total[name] = _sum(before if isinstance(before, dict) else None, value)
        elif isinstance(value, int) and not isinstance(value, bool):
            before = total.get(name)
            total[name] = (before if isinstance(before, int) else 0) + value
    return total
