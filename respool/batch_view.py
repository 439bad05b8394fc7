"""A batch as the command line shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from respool.errors import understood
from respool.moments import local
from respool.tables import number
from respool.visible import shown

ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
COLUMNS = ("id", "status", "model", "created", "done", "failed", "total", "cost", "note")


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """`document` is the whole batch as the API gave it; `failed` counts lines, and `mistakes` are those of its file."""

    document: dict[str, Any]
    id: str
    status: str
    total: int
    completed: int
    failed: int
    waiting_reason: str | None
    mistakes: list[str]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def good(self) -> bool:
        """Whether each line has an answer."""
        return self.status == "completed" and not self.failed


def read_batch(document: dict[str, Any]) -> BatchView:
    """Raises Refused if that is no batch."""
    with understood():
        counts, errors = document["request_counts"] or {}, (document.get("errors") or {}).get("data") or []
        return BatchView(
            document=document,
            id=shown(document["id"]),
            status=shown(document["status"]),
            total=int(counts.get("total") or 0),
            completed=int(counts.get("completed") or 0),
            failed=int(counts.get("failed") or 0),
            waiting_reason=(document.get("respool") or {}).get("waiting_reason"),
            mistakes=[_mistake(error) for error in errors],
        )


def _mistake(error: Mapping[str, Any]) -> str:
    line = f"line {error['line']}: " if error.get("line") is not None else ""
    message, param = str(error.get("message")), str(error.get("param") or "")
    return shown(f"{line}{message}" if param in message else f"{line}{param}: {message}")


def state(batch: BatchView) -> str:
    """One line on where the batch is."""
    done = batch.completed + batch.failed
    parts = [batch.id, batch.status, f"{done}/{batch.total}"]
    if batch.failed:
        parts.append(f"{batch.failed} failed")
    if batch.waiting_reason:
        parts.append(f"({batch.waiting_reason})")
    return shown(" ".join(parts))


def cells(batch: BatchView) -> tuple[str, ...]:
    document, own = batch.document, batch.document.get("respool") or {}
    cost = "" if own.get("cost") is None else f"{number(own['cost'])} {own.get('currency') or ''}"
    note = batch.waiting_reason or (batch.mistakes[0] if batch.mistakes else "")
    return (
        batch.id, batch.status, str(document.get("model") or ""), local(document.get("created_at")),
        str(batch.completed), str(batch.failed), str(batch.total), cost, note,
    )  # fmt: skip


def lines(batch: BatchView) -> Iterator[str]:
    """The batch for people, with every mistake of its file."""
    document, own = batch.document, batch.document.get("respool") or {}
    counts = f"{batch.completed} completed, {batch.failed} failed, of {batch.total}"
    cost = "" if own.get("cost") is None else f"{number(own['cost'])} {own.get('currency') or ''}"
    facts = {
        "batch": batch.id, "status": batch.status, "lines": counts, "waits for": batch.waiting_reason,
        "model": document.get("model"), "created": local(document.get("created_at")),
        "expires": "" if batch.ended else local(document.get("expires_at")), "cost": cost,
        "input": document.get("input_file_id"), "output": document.get("output_file_id"),
        "errors": document.get("error_file_id"), "retry of": own.get("retry_of"),
    }  # fmt: skip
    for name, value in facts.items():
        if value:
            yield shown(f"{name + ':':<10} {value}")
    yield from batch.mistakes
