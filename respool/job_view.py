"""A job as the command line shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from respool.moments import span
from respool.visible import shown

ENDED = frozenset({"completed", "failed", "incomplete", "cancelled"})
GOOD = frozenset({"completed", "incomplete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """`document` is the whole job as the API gave it; the other fields are what is shown of it."""

    document: dict[str, Any]
    id: str
    status: str
    model: str
    created_at: float
    attempts: int
    waiting_reason: str | None
    position: int | None = None
    starts_in_seconds: float | None = None
    text: str
    why: str | None
    usage: dict[str, Any]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def good(self) -> bool:
        """Whether there is an answer, be it cut off."""
        return self.status in GOOD

    @property
    def outlook(self) -> str | None:
        """Why a queued job waits, its place, and when it starts, as far as that is known."""
        parts = [self.waiting_reason] if self.waiting_reason else []
        if self.position is not None:
            parts.append(f"position {self.position}")
        if self.starts_in_seconds is not None:
            parts.append(f"starts in about {span(self.starts_in_seconds)}")
        return ", ".join(parts) or None


def read_job(document: dict[str, Any]) -> JobView:
    """Raises AttributeError, KeyError, TypeError or ValueError if that is no job."""
    response = document["response"] or {}
    return JobView(
        document=document,
        id=shown(document["id"]),
        status=shown(document["status"]),
        model=shown(document["model"]),
        created_at=float(document["created_at"]),
        attempts=len(document["attempts"]),
        waiting_reason=document["waiting_reason"],
        position=document.get("position"),
        starts_in_seconds=_starts_in(document.get("eta")),
        text=shown(_text_of(response)),
        why=_why(document["error"], response.get("incomplete_details")),
        usage=document["usage"] or {},
    )


def _starts_in(eta: dict[str, Any] | None) -> float | None:
    return float(eta["p50_seconds"]) if eta else None


def _text_of(response: dict[str, Any]) -> str:
    """All output text; other items (reasoning, calls of tools) are left to `--json`."""
    messages = [item for item in response.get("output", []) if item.get("type") == "message"]
    parts = [part for message in messages for part in message.get("content", [])]
    return "".join(part["text"] for part in parts if part.get("type") == "output_text")


def _why(error: dict[str, Any] | None, incomplete: dict[str, Any] | None) -> str | None:
    if error:
        return shown(f"{error['code']}: {error['message']}")
    return shown(str(incomplete["reason"])) if incomplete else None


def as_job_id(text: str) -> str:
    """The id of the job whose Response is called so; any other text as it is."""
    return "job_" + text.removeprefix("resp_") if text.startswith("resp_") else text
