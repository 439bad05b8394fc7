"""What happened to a job, in the order in which it did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.console import words

TERMINAL = ("completed", "failed", "incomplete", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`kind` is a status and gives the colour; `at` is in seconds, None for what is still to come; `notes` say more."""

    at: float | None
    kind: str
    what: str
    notes: Sequence[str] = ()


def timeline(job: Mapping[str, Any], deliveries: Sequence[Mapping[str, Any]]) -> list[Step]:
    """From a job and its deliveries as the API shows them; what is to come stands last."""
    steps = [*_work(job), *_deliveries(deliveries)]
    return sorted(steps, key=lambda step: (step.at is None, step.at or 0))


def _work(job: Mapping[str, Any]) -> Iterator[Step]:
    yield Step(at=job["created_at"], kind="queued", what="Queued", notes=[f"priority {job['priority']}"])
    for attempt in job["attempts"]:
        yield from _attempt(attempt)
    if job["status"] == "queued":
        yield Step(at=None, kind="queued", what="Waits", notes=_waiting(job))
    if job["status"] in TERMINAL and job["finished_at"] is not None:
        error = job["error"] or {}
        notes = [f"{error['code']}: {error['message']}"] if error.get("message") else []
        took = words.lasting(job["finished_at"] - job["created_at"])
        yield Step(
            at=job["finished_at"], kind=job["status"], what=job["status"].capitalize(), notes=[*notes, f"after {took}"]
        )


def _attempt(attempt: Mapping[str, Any]) -> Iterator[Step]:
    name = f"Attempt {attempt['number']}"
    where = [f"account {attempt['account']}"] if attempt["account"] else []
    where += [f"worker {attempt['worker']}"] if attempt["worker"] else []
    if attempt["started_at"] is not None:
        yield Step(at=attempt["started_at"], kind="in_progress", what=f"{name} started", notes=[", ".join(where)])
    if attempt["finished_at"] is not None:
        yield Step(
            at=attempt["finished_at"],
            kind=_kind(attempt["outcome"]),
            what=f"{name} ended: {words.spoken(attempt['outcome'])}",
            notes=list(_notes(attempt)),
        )


def _notes(attempt: Mapping[str, Any]) -> Iterator[str]:
    error = attempt["error"] or {}
    if error:
        yield ": ".join(str(error[name]) for name in ("code", "message") if error.get(name))
    if attempt["http_status"]:
        yield f"HTTP {attempt['http_status']}"
    if attempt["started_at"] is not None:
        yield f"after {words.lasting(attempt['finished_at'] - attempt['started_at'])}"
    if attempt["may_be_billed"] and attempt["outcome"] != "completed":
        yield "may have been billed"


def _kind(outcome: str) -> str:
    return outcome if outcome in TERMINAL else "queued"


def _waiting(job: Mapping[str, Any]) -> list[str]:
    notes = [words.spoken(job["waiting_reason"])] if job["waiting_reason"] else ["its turn has not come"]
    if job["position"]:
        notes.append(f"number {words.count(job['position'])} in its project's queue")
    if job["eta"]:
        eta = job["eta"]
        notes.append(
            f"starts in about {words.lasting(eta['p50_seconds'])}, "
            f"in 9 of 10 cases within {words.lasting(eta['p90_seconds'])}"
        )
    return notes


def _deliveries(deliveries: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    for delivery in deliveries:
        target = f"{delivery['type']} to {delivery['origin']}"
        for attempt in delivery["attempts"]:
            good = attempt["error"] is None and 200 <= (attempt["http_status"] or 0) < 300
            notes = [target, *([attempt["error"]] if attempt["error"] else [])]
            notes += [f"HTTP {attempt['http_status']}"] if attempt["http_status"] else []
            what = f"Webhook {'delivered' if good else 'not delivered'}, attempt {attempt['number']}"
            yield Step(at=attempt["started_at"], kind="completed" if good else "failed", what=what, notes=notes)
        if delivery["next_attempt_at"] is not None:
            due = [target, f"next attempt at {words.when(delivery['next_attempt_at'])}"]
            yield Step(at=None, kind="queued", what="Webhook is owed", notes=due)
