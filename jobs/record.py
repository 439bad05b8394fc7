"""A job as the store knows it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from jobs.errors import RecordTooNew

JOB_PREFIX = "job_"
RESPONSE_PREFIX = "resp_"
SCHEMA = 2
"""The form of a record that this release writes, and the newest it reads: GENERATION in jobs/lua/parts/base.lua."""

USUAL_PRIORITY = 5
"""Of a job that was accepted before there were others; jobs/lua/parts/adopting.lua gives its record the same."""


class Stage(StrEnum):
    """Where a job is; the first three are all of status `queued`."""

    WAITING = "waiting"
    DELAYED = "delayed"
    DISPATCHED = "dispatched"
    RUNNING = "running"
    ENDED = "ended"


FIELDS = (
    "project", "api_key", "model", "backlog", "lane", "upstream", "priority", "order", "status", "stage",
    "created", "started", "finished", "expires", "metadata", "echo", "max_attempts", "on_unknown", "queue_deadline",
    "run_timeout", "spent", "due", "reason", "response", "usage", "error", "tokens", "nano", "sent", "webhook",
    "hidden", "line", "custom_id", "schema",
)  # fmt: skip
"""What a poll reads; the request and the upstream's own answer stay behind."""


def new_number() -> str:
    """The X of `job_X` and `resp_X`: 128 random bits as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def number_of(public_id: str, prefix: str = JOB_PREFIX) -> str | None:
    """The X of a public id, or None if it cannot be one of ours."""
    number = public_id.removeprefix(prefix)
    shaped = public_id.startswith(prefix) and len(number) == 32 and set(number) <= set("0123456789abcdef")
    return number if shaped else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job at the moment it was read. Times are seconds since the epoch; JSON values are decoded.

    `lane` is that of its last release; `tokens` is the estimate, `nano` what was booked for it so far, in 10^-9 of the
    currency; `order` is its place in its project's queue: the smaller, the earlier; `webhook` is as Webhook.as_json.
    Of a batch's line, `line` is its number and `custom_id` what its caller named it.
    """

    number: str
    project: str
    api_key: str
    model: str
    backlog: str
    lane: str | None
    priority: int
    status: str
    stage: Stage
    created_at: float
    started_at: float | None
    finished_at: float | None
    expires_at: float | None
    due_at: float | None
    metadata: dict[str, str]
    echo: dict[str, Any]
    max_attempts: int
    attempts_spent: int
    on_unknown: str
    queue_deadline_seconds: float | None
    run_timeout_seconds: float
    reason: str
    tokens: int
    nano: int
    order: int
    response: dict[str, Any] | None
    usage: dict[str, Any] | None
    error: dict[str, Any] | None
    webhook: dict[str, Any] | None
    attempts: Sequence[dict[str, Any]]
    line: int | None = None
    custom_id: str | None = None

    @property
    def id(self) -> str:
        return JOB_PREFIX + self.number

    @property
    def response_id(self) -> str:
        return RESPONSE_PREFIX + self.number


def read_job(number: str, values: Sequence[bytes | None], attempts: Sequence[bytes]) -> Job:
    """A Job from the values of FIELDS and the entries of its attempts. Raises RecordTooNew."""
    raw = dict(zip(FIELDS, values, strict=True))
    if int(raw["schema"] or 1) > SCHEMA:
        raise RecordTooNew(JOB_PREFIX + number)
    return Job(
        number=number,
        project=_text(raw["project"]),
        api_key=_text(raw["api_key"]),
        model=_text(raw["model"]),
        backlog=_text(raw["lane"] if raw["upstream"] else raw["backlog"]),
        lane=_text(raw["lane"]) or None,
        priority=int(raw["priority"] or USUAL_PRIORITY),
        status=_text(raw["status"]),
        stage=Stage(_text(raw["stage"])),
        created_at=int(raw["created"] or 0) / 1_000_000,
        started_at=_seconds(raw["started"]),
        finished_at=_seconds(raw["finished"]),
        expires_at=_seconds(raw["expires"]),
        due_at=_seconds(raw["due"]),
        metadata=json.loads(raw["metadata"] or b"{}"),
        echo=json.loads(raw["echo"] or b"{}"),
        max_attempts=int(raw["max_attempts"] or 1),
        attempts_spent=int(raw["spent"] or 0),
        on_unknown=_text(raw["on_unknown"]),
        queue_deadline_seconds=_seconds(raw["queue_deadline"]),
        run_timeout_seconds=int(raw["run_timeout"] or 0) / 1000,
        reason=_text(raw["reason"]),
        tokens=int(raw["tokens"] or 0),
        nano=int(raw["nano"] or 0),
        order=int(raw["order"] or 0),
        response=_json(raw["response"]),
        usage=_json(raw["usage"]),
        error=_json(raw["error"]),
        webhook=_json(raw["webhook"]),
        attempts=[_entry(entry, sent=int(raw["sent"] or 0)) for entry in attempts],
        line=int(raw["line"]) if raw["line"] else None,
        custom_id=_text(raw["custom_id"]) or None,
    )


def _entry(text: bytes, *, sent: int) -> dict[str, Any]:
    """An attempt's entry; its objects are JSON texts of their own (Closing.as_json). Of one that runs, the record knows
    whether it was sent (`sent`: the number of the last that was)."""
    entry: dict[str, Any] = json.loads(text)
    if entry["outcome"] == "running" and entry["number"] == sent:
        entry |= {"delivery": "sent", "may_be_billed": True}
    return entry | {name: json.loads(entry[name]) for name in ("usage", "error") if entry.get(name)}


def _text(value: bytes | None) -> str:
    return (value or b"").decode()


def _seconds(milliseconds: bytes | None) -> float | None:
    return int(milliseconds) / 1000 if milliseconds and milliseconds != b"0" else None


def _json(value: bytes | None) -> dict[str, Any] | None:
    return json.loads(value) if value else None
