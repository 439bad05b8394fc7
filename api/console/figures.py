"""The figures of the overview, from the services to what is drawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import islice

from api.auth import scope
from api.console import charts, words
from api.console.charts import Chart, Line
from api.services import services
from jobs.prices import amount
from jobs.series import Point, Step
from jobs.usage import UsageRow

SPANS: dict[str, tuple[Step, int]] = {"hour": ("minute", 60), "day": ("hour", 24), "week": ("hour", 168)}
"""What can be looked at: steps of which size, and how many."""

STEP_SECONDS = {"minute": 60, "hour": 3600}
DAYS = 14
ENDS = ("completed", "incomplete", "failed", "cancelled")
OTHERS = "others"


def points(span: str) -> list[Point]:
    """Those of a span up to now, oldest first. Raises StoreUnavailable."""
    step, number = SPANS[span]
    now = services().series.now()
    return services().series.points(scope(), now - (number - 1) * STEP_SECONDS[step], now, step)


def over_time(found: Sequence[Point], span: str) -> list[Chart]:
    """How many jobs came and ended, and how long they took."""
    labels = [_label(point.start, span) for point in found]
    ended = [Line(name=status, kind=status, values=[getattr(point, status) for point in found]) for status in ENDS]
    came = [Line(name="submitted", kind="submitted", values=[point.submitted for point in found])]
    return [
        charts.stacked("Jobs ended", labels, ended, told=words.count),
        charts.stacked("Jobs submitted", labels, came, told=words.count),
        charts.curves("Time in the queue", labels, _quantiles(found, "queue_seconds"), told=words.lasting),
        charts.curves("Time to run", labels, _quantiles(found, "run_seconds"), told=words.lasting),
    ]


def by_day() -> list[Chart]:
    """Tokens and cost by model of the last DAYS days (UTC). Raises StoreUnavailable."""
    today = services().usage.today()
    rows = services().usage.rows(project=scope(), first=today - timedelta(days=DAYS - 1), last=today)
    days = [today - timedelta(days=DAYS - 1 - i) for i in range(DAYS)]
    labels = [f"{day:%b %d}" for day in days]
    money = partial(words.money, currency=services().limits.currency)
    tokens = _by_model(rows, days, "total_tokens")
    cost = [
        Line(name=line.name, kind=line.kind, values=[amount(int(value or 0)) for value in line.values])
        for line in _by_model(rows, days, "cost_nano")
    ]
    return [
        charts.stacked("Tokens by model and day", labels, tokens, told=words.count),
        charts.stacked("Cost by model and day", labels, cost, told=money),
    ]


def _quantiles(found: Sequence[Point], name: str) -> list[Line]:
    measured = [getattr(point, name) for point in found]
    return [
        Line(name="p95", kind="c1", values=[each.p95 if each else None for each in measured]),
        Line(name="p50", kind="c0", values=[each.p50 if each else None for each in measured]),
    ]


def _by_model(rows: Sequence[UsageRow], days: Sequence[date], kind: str) -> list[Line]:
    """The models that took most, and the others together."""
    sums: dict[str, dict[date, int]] = defaultdict(lambda: defaultdict(int))
    for row in rows:
        sums[row.model][row.day] += row.counts.get(kind, 0)
    ranked = sorted(sums, key=lambda model: (-sum(sums[model].values()), model))
    own = list(islice(ranked, charts.MOST_LINES - 1 if len(ranked) > charts.MOST_LINES else charts.MOST_LINES))
    lines = [Line(name=model, kind=f"c{i}", values=[sums[model][day] for day in days]) for i, model in enumerate(own)]
    if rest := ranked[len(own) :]:
        values = [sum(sums[model][day] for model in rest) for day in days]
        lines.append(Line(name=OTHERS, kind=f"c{len(own)}", values=values))
    return lines


def _label(start: int, span: str) -> str:
    moment = datetime.fromtimestamp(start, UTC)
    return f"{moment:%b %d %H:%M}" if span == "week" else f"{moment:%H:%M}"
