"""What became of what was promised."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Verdict:
    """Everything but the first four and `recovery_seconds` is a list of what must not be: the ids it happened to."""

    acknowledged: int = 0
    unknown: int = 0
    answers: Mapping[str, int] = field(default_factory=dict)
    endings: Mapping[str, int] = field(default_factory=dict)
    recovery_seconds: list[float] = field(default_factory=list)
    surprises: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    changed_after_the_end: list[str] = field(default_factory=list)
    failed_without_reason: list[str] = field(default_factory=list)
    finished_twice: list[str] = field(default_factory=list)
    webhooks_lost: list[str] = field(default_factory=list)
    webhooks_changed: list[str] = field(default_factory=list)
    calls_unrecorded: list[str] = field(default_factory=list)
    calls_beyond_policy: list[str] = field(default_factory=list)
    streams_wrong: list[str] = field(default_factory=list)
    batches_wrong: list[str] = field(default_factory=list)
    leaked: list[str] = field(default_factory=list)

    @property
    def faults(self) -> dict[str, list[str]]:
        told = ("acknowledged", "unknown", "answers", "endings", "recovery_seconds")
        found = {name: getattr(self, name) for name in self.__slots__ if name not in told}
        return {name: ids for name, ids in found.items() if ids}

    def recovery(self, share: float) -> float:
        """The time that this share of what a killed worker held did not exceed until its next start; 0 for nothing."""
        times = sorted(self.recovery_seconds)
        return times[min(len(times) - 1, int(share * len(times)))] if times else 0.0
