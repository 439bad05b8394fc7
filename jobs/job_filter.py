"""Which jobs a list is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """All that is given must hold. `since` (included) and `until` (excluded) bound the time of submission, in seconds
    since the epoch; of `metadata`, each pair of key and value must be among the job's.
    """

    statuses: tuple[str, ...] = ()
    model: str | None = None
    metadata: tuple[tuple[str, str], ...] = ()
    since: float | None = None
    until: float | None = None

    @property
    def reads_records(self) -> bool:
        """Whether no index tells which jobs are meant."""
        return self.model is not None or bool(self.metadata)

    @property
    def lowest(self) -> str:
        """The first score of an index (microseconds), as ZRANGE takes it."""
        return "-inf" if self.since is None else str(_microseconds(self.since))

    def highest(self, created: int | None) -> str:
        """The last score of an index, as ZRANGE takes it; `created` is where to go on, in microseconds."""
        if self.until is None:
            return "+inf" if created is None else str(created)
        end = _microseconds(self.until)
        return str(created) if created is not None and created < end else f"({end}"


EVERY_JOB = JobFilter()


def _microseconds(seconds: float) -> int:
    return round(seconds * 1_000_000)
