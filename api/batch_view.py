"""Batches and their lines as they are handed out."""

from __future__ import annotations

from typing import Any

from api import job_view, webhook_view
from api.services import services
from jobs.batches.lines import Line, line_number
from jobs.batches.record import Batch
from jobs.batches.told import told
from schemas.batch import DEFAULT_PRIORITY, TIMES
from schemas.batch_line import LINE_PREFIX


def dump(batch: Batch) -> dict[str, Any]:
    """Of the shape of BatchSchema."""
    return {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "model": batch.model,
        "errors": {"object": "list", "data": list(batch.errors)} if batch.errors else None,
        "input_file_id": batch.input_file_id,
        "completion_window": batch.completion_window,
        "status": batch.status,
        "output_file_id": batch.output_file_id,
        "error_file_id": batch.error_file_id,
        "created_at": int(batch.created_at),
        **{name: _second(getattr(batch, name)) for name in TIMES},
        "request_counts": {"total": batch.total, "completed": batch.completed, "failed": batch.failed},
        "usage": batch.usage,
        "metadata": batch.metadata,
        "respool": _own(batch),
    }


def _second(at: float | None) -> int | None:
    return None if at is None else int(at)


def _own(batch: Batch) -> dict[str, Any]:
    return {
        "project": batch.project,
        "lines_submitted": batch.lines_read,
        "waiting_reason": batch.waiting_reason,
        "completion_window_seconds": round(batch.window_seconds),
        "priority": batch.options.get("priority", DEFAULT_PRIORITY),
        "options": batch.options,
        "retry_of": batch.retry_of,
        "cost": job_view.cost(batch.model, batch.nano) if batch.model else None,
        "currency": services().limits.currency,
        "webhook": webhook_view.dump(batch.webhook) if batch.webhook else None,
    }


def dump_line(batch: Batch, line: Line) -> dict[str, Any]:
    """Of the shape of BatchLineSchema."""
    job = line.job
    return {
        "object": "batch.line",
        "id": LINE_PREFIX + line_number(batch.number, line.line),
        "line": line.line,
        "custom_id": line.custom_id,
        "status": line.status,
        "job_id": job.id if job else None,
        "response_id": job.response_id if job else None,
        **(told(batch, line) or {"response": None, "error": None}),
    }
