"""What was used, by day, model and API key."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import redis

from jobs import keys, scripts

EPOCH = date(1970, 1, 1)
MOST_DAYS = 400
"""As long as a day's usage is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRow:
    """One day (UTC) of one model and key; `counts` holds jobs by end status and tokens by kind."""

    project: str
    day: date
    model: str
    api_key: str
    counts: dict[str, int] = field(default_factory=dict)


def period_names(seconds: int) -> tuple[str, str]:
    """The day and the month (UTC) in which `seconds` since the epoch lie, as keys.spent has them."""
    now = datetime.fromtimestamp(seconds, UTC)
    return f"day{(now.date() - EPOCH).days}", f"month{now.year * 12 + now.month - 1}"


class UsageLedger:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def rows(self, *, project: str | None, first: date, last: date) -> list[UsageRow]:
        """Newest day first, both days included; of `project` or (None) of all. Raises StoreUnavailable."""
        days = [last - timedelta(days=n) for n in range((last - first).days + 1)]
        with scripts.translated():
            projects = [project] if project is not None else self._projects()
            with self._client.pipeline(transaction=False) as pipeline:
                for day in days:
                    for name in projects:
                        pipeline.hgetall(keys.usage(name, (day - EPOCH).days))
                answers = iter(pipeline.execute())
        return [row for day in days for name in projects for row in _rows(name, day, next(answers))]

    def today(self) -> date:
        """The server's day, by which usage is booked."""
        with scripts.translated():
            seconds, _ = self._client.time()
        return datetime.fromtimestamp(int(seconds), UTC).date()

    def _projects(self) -> list[str]:
        names: set[Any] = self._client.smembers(keys.PROJECTS)
        return sorted(name.decode() for name in names)


def _rows(project: str, day: date, counts: dict[bytes, bytes]) -> list[UsageRow]:
    grouped: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for name, value in counts.items():
        model, api_key, kind = name.decode().rsplit("\n", 2)
        grouped[model, api_key][kind] = int(value)
    return [
        UsageRow(project=project, day=day, model=model, api_key=api_key, counts=found)
        for (model, api_key), found in sorted(grouped.items())
    ]
