"""What was found as tables in Markdown."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from benchmarks.found import Column, Found, Values


def table_of(found: Found) -> str:
    """One row a contestant, medians of its rounds."""
    rows = [
        [name, *(_median(samples, column) for column in found.columns)]
        for name, samples in found.samples.items()
        if samples
    ]
    return _table(["", *(column.title for column in found.columns)], rows)


def targets_of(found: Found) -> str:
    rows = [
        [
            target.text,
            f"{target.wanted} {target.bound:,.{target.digits}f}",
            "–" if target.value is None else f"{target.value:,.{target.digits}f}",
            "yes" if target.met else "no",
        ]
        for target in found.targets
    ]
    return _table(["target", "wanted", "measured", "met"], rows) if rows else ""


def median_of(samples: Sequence[Values], key: str) -> float | None:
    values = [sample[key] for sample in samples if key in sample]
    return statistics.median(values) if values else None


def _median(samples: Sequence[Values], column: Column) -> str:
    value = median_of(samples, column.key)
    return "" if value is None else f"{value:,.{column.digits}f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---", *("--:" for _ in head[1:])], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
