"""A job to be accepted, and the fields with which its record begins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.trail import Trail
from jobs.webhooks.target import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchLine:
    """Which line of which batch a job is; `batch` is the X of `batch_X`. What is not `stored` goes with its end.

    `asked_retention_seconds`, where it is shorter than what the batch needs, holds once the batch has ended.
    """

    batch: str
    line: int
    custom_id: str
    stored: bool = True
    asked_retention_seconds: float | None = None

    def fields(self) -> dict[str, str | bytes | int]:
        asked = self.asked_retention_seconds
        return {
            **({} if self.stored else {"unstored": 1}),
            **({} if asked is None else {"asked_retention": kept_milliseconds(asked)}),
            "batch": self.batch,
            "line": self.line,
            "custom_id": self.custom_id,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be accepted. `body` is what goes upstream; `echo` is the request without its input, as JSON.

    `backlog` is where it waits (jobs.lanes.backlog_of); `tokens` and `nano` are what it is estimated to take and cost.
    It counts as submitted `later_seconds` after it was; `line` says which line of a batch it is.
    """

    number: str
    project: str
    api_key: str
    model: str
    backlog: str
    priority: int
    body: bytes
    echo: str
    metadata: Mapping[str, str]
    tokens: int
    nano: int
    max_attempts: int
    on_unknown: str
    queue_deadline_seconds: float | None
    run_timeout_seconds: float
    retention_seconds: float
    webhook: Webhook | None = None
    later_seconds: float = 0.0
    line: BatchLine | None = None
    trail: Trail = Trail()  # noqa: RUF009 - it cannot be changed

    @property
    def queued_bytes(self) -> int:
        """That the queue holds for it."""
        return len(self.body) + len(self.echo.encode())

    def fields(self) -> dict[str, str | bytes | int]:
        return {
            **({"webhook": self.webhook.as_json()} if self.webhook else {}),
            **(self.line.fields() if self.line else {}),
            **self.trail.fields(),
            "api_key": self.api_key,
            "model": self.model,
            "backlog": self.backlog,
            "priority": self.priority,
            "request": self.body,
            "request_bytes": self.queued_bytes,
            "echo": self.echo,
            "metadata": json.dumps(self.metadata),
            "tokens": self.tokens,
            "nano_held": self.nano,
            "max_attempts": self.max_attempts,
            "on_unknown": self.on_unknown,
            "queue_deadline": kept_milliseconds(self.queue_deadline_seconds),
            "run_timeout": kept_milliseconds(self.run_timeout_seconds),
            "retention": kept_milliseconds(self.retention_seconds),
            "spent": 0,
            "snoozes": 0,
        }


def kept_milliseconds(seconds: float | None) -> int:
    """A length of time as the record keeps it; 0 is none."""
    return 0 if seconds is None else max(1, round(seconds * 1000))
