"""A batch as the store knows it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from jobs.record import new_number
from jobs.webhooks.target import Webhook

BATCH_PREFIX = "batch_"
RUNNING = ("validating", "in_progress", "finalizing", "cancelling")
"""The statuses of a batch that has not ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBatch:
    """A batch to be accepted. `window_seconds` is how long its lines may wait; `completion_window` is what was asked.

    `options` are as RespoolOptionsSchema has them, without the webhook, which is where the batch's own events go;
    `retry_of` is the id of the batch whose failed lines these are. Two of one `number` are one batch: the first.
    """

    number: str = field(default_factory=new_number)
    project: str
    api_key: str
    input_file_id: str
    endpoint: str = "/v1/responses"
    completion_window: str = "24h"
    window_seconds: float = 86400.0
    output_expires_after_seconds: int = 30 * 86400
    metadata: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    webhook: Webhook | None = None
    retry_of: str | None = None


FIELDS = (
    "project", "api_key", "endpoint", "input_file", "completion_window", "window", "status", "created",
    "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at",
    "cancelled_at", "total", "completed_lines", "failed_lines", "refused_lines", "lines_read", "line", "offset",
    "model", "errors", "output_file", "error_file", "output_expires", "usage", "nano", "metadata", "options", "webhook",
    "retry_of", "reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """A batch at the moment it was read. Times are seconds since the epoch.

    `total` counts the requests of its file (0 until that is validated), `lines_read` those that were taken up; `line`
    and `offset` are the number of the last line that was, and the bytes of the file up to its end. `failed` counts
    refused lines too. `errors` are {code, line, message, param} each. `nano` is what its lines cost, in 10^-9 of the
    currency.
    """

    number: str
    project: str
    api_key: str
    endpoint: str
    input_file_id: str
    completion_window: str
    window_seconds: float
    status: str
    created: int
    in_progress_at: float | None
    expires_at: float
    finalizing_at: float | None
    completed_at: float | None
    failed_at: float | None
    expired_at: float | None
    cancelling_at: float | None
    cancelled_at: float | None
    total: int
    completed: int
    failed: int
    lines_read: int
    line: int
    offset: int
    model: str | None
    errors: Sequence[dict[str, Any]]
    output_file_id: str | None
    error_file_id: str | None
    output_expires_after_seconds: int
    usage: dict[str, Any] | None
    nano: int
    metadata: dict[str, str]
    options: dict[str, Any]
    webhook: dict[str, Any] | None
    retry_of: str | None
    waiting_reason: str | None

    @property
    def id(self) -> str:
        return BATCH_PREFIX + self.number

    @property
    def created_at(self) -> float:
        return self.created / 1_000_000

    @property
    def ended(self) -> bool:
        return self.status not in RUNNING


def read_batch(number: str, values: Sequence[bytes | None]) -> Batch | None:
    """The record from its FIELDS; None where there is none."""
    raw = {name: (value or b"").decode() for name, value in zip(FIELDS, values, strict=True)}
    if not raw["project"]:
        return None
    return Batch(
        number=number,
        project=raw["project"],
        api_key=raw["api_key"],
        endpoint=raw["endpoint"],
        input_file_id=raw["input_file"],
        completion_window=raw["completion_window"],
        window_seconds=int(raw["window"]) / 1000,
        status=raw["status"],
        created=int(raw["created"]),
        in_progress_at=_seconds(raw["in_progress_at"]),
        expires_at=int(raw["expires_at"]) / 1000,
        finalizing_at=_seconds(raw["finalizing_at"]),
        completed_at=_seconds(raw["completed_at"]),
        failed_at=_seconds(raw["failed_at"]),
        expired_at=_seconds(raw["expired_at"]),
        cancelling_at=_seconds(raw["cancelling_at"]),
        cancelled_at=_seconds(raw["cancelled_at"]),
        total=_count(raw["total"]),
        completed=_count(raw["completed_lines"]),
        failed=_count(raw["failed_lines"]) + _count(raw["refused_lines"]),
        lines_read=_count(raw["lines_read"]),
        line=_count(raw["line"]),
        offset=_count(raw["offset"]),
        model=raw["model"] or None,
        errors=json.loads(raw["errors"] or "[]"),
        output_file_id=raw["output_file"] or None,
        error_file_id=raw["error_file"] or None,
        output_expires_after_seconds=int(raw["output_expires"]) // 1000,
        usage=json.loads(raw["usage"] or "null"),
        nano=_count(raw["nano"]),
        metadata=json.loads(raw["metadata"] or "{}"),
        options=json.loads(raw["options"] or "{}"),
        webhook=json.loads(raw["webhook"] or "null"),
        retry_of=raw["retry_of"] or None,
        waiting_reason=raw["reason"] or None,
    )


def _count(text: str) -> int:
    return int(text or 0)


def _seconds(milliseconds: str) -> float | None:
    return int(milliseconds) / 1000 if milliseconds else None
