"""The filters of the page of jobs: what was typed, and which jobs that means."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from jobs.job_filter import JobFilter
from schemas.job import STATUSES

MOST_PAIRS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """`mistakes` are by the name of the field; what is wrong does not count."""

    typed: Mapping[str, str]
    statuses: tuple[str, ...]
    wanted: JobFilter
    mistakes: Mapping[str, str]

    @property
    def narrow(self) -> bool:
        """Whether anything was asked for."""
        return bool(self.statuses) or any(self.typed.values())


def search(typed: Mapping[str, str], asked_statuses: list[str]) -> Search:
    """From the fields model, metadata (lines of KEY=VALUE), since and until (UTC), and the statuses."""
    mistakes: dict[str, str] = {}
    statuses = tuple(status for status in STATUSES if status in asked_statuses)
    fields = {name: typed.get(name, "").strip() for name in ("model", "metadata", "since", "until")}
    wanted = JobFilter(
        statuses=statuses,
        model=fields["model"] or None,
        metadata=_pairs(fields["metadata"], mistakes),
        since=_moment("since", fields["since"], mistakes),
        until=_moment("until", fields["until"], mistakes),
    )
    return Search(typed=fields, statuses=statuses, wanted=wanted, mistakes=mistakes)


def pairs(text: str) -> dict[str, str]:
    """Lines of KEY=VALUE. Raises ValueError, which names the line."""
    found = {}
    for line in filter(None, (line.strip() for line in text.replace(",", "\n").splitlines())):
        name, sign, value = line.partition("=")
        if not sign or not name.strip():
            raise ValueError(f"must be KEY=VALUE, got {line[:80]!r}")
        found[name.strip()] = value.strip()
    return found


def _pairs(text: str, mistakes: dict[str, str]) -> tuple[tuple[str, str], ...]:
    try:
        return tuple(pairs(text).items())[:MOST_PAIRS]
    except ValueError as error:
        mistakes["metadata"] = str(error)
        return ()


def _moment(name: str, text: str, mistakes: dict[str, str]) -> float | None:
    """Of a field of type datetime-local, which is taken as UTC."""
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except (ValueError, OverflowError):
        mistakes[name] = "must be a date and a time, such as 2026-03-01T12:00"
        return None
