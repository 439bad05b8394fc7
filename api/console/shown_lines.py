"""A line of a batch as a row of its page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jobs.batches.lines import Line

MOST_CHARACTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class LineShown:
    """`job_id` is None where the request was refused; `why` says what went wrong, "" where nothing did."""

    line: int
    custom_id: str
    status: str
    job_id: str | None
    tokens: int | None
    why: str


def line_shown(line: Line) -> LineShown:
    job = line.job
    why = _told(job.error) if job is not None else _told((line.refusal or {}).get("body", {}).get("error"))
    return LineShown(
        line=line.line,
        custom_id=line.custom_id,
        status=line.status,
        job_id=job.id if job is not None else None,
        tokens=(job.usage or {}).get("total_tokens") if job is not None else None,
        why=why if len(why) <= MOST_CHARACTERS else f"{why[:MOST_CHARACTERS]} …",
    )


def _told(error: dict[str, Any] | None) -> str:
    return ": ".join(str(error[name]) for name in ("code", "message") if error.get(name)) if error else ""
