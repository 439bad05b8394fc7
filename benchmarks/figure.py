"""Bars as an SVG: the median of each contestant, and a line from its least to its greatest sample."""

from __future__ import annotations

import html
import statistics
from collections.abc import Mapping, Sequence

from benchmarks.found import Bars, Values

WIDTH, LEFT, RIGHT, TOP, STEP = 760, 220, 90, 44, 30
OURS, OTHERS = "#2563eb", "#9ca3af"


def figure_of(bars: Bars, samples: Mapping[str, Sequence[Values]]) -> str | None:
    """None where nobody has samples of that column."""
    rows = {name: [each[bars.key] for each in found if bars.key in each] for name, found in samples.items()}
    rows = {name: values for name, values in rows.items() if values}
    if not rows:
        return None
    ranked = sorted(rows, key=lambda name: statistics.median(rows[name]), reverse=bars.better == "longer")
    most = max(max(values) for values in rows.values()) or 1.0
    height = TOP + STEP * len(ranked) + 12
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif">',
        "<style>text { font-size: 13px }</style>",
        f"<title>{html.escape(bars.title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="12" y="24">{html.escape(bars.title)} ({bars.better} is better)</text>',
    ]
    for place, name in enumerate(ranked):
        lines += _bar(name, rows[name], y=TOP + STEP * place, scale=(WIDTH - LEFT - RIGHT) / most)
    return "\n".join([*lines, "</svg>", ""])


def _bar(name: str, values: Sequence[float], *, y: int, scale: float) -> list[str]:
    middle = statistics.median(values)
    colour = OURS if name.startswith("respool") else OTHERS
    low, high = LEFT + min(values) * scale, LEFT + max(values) * scale
    return [
        f'<text x="{LEFT - 8}" y="{y + 15}" text-anchor="end">{html.escape(name)}</text>',
        f'<rect x="{LEFT}" y="{y}" width="{middle * scale:.1f}" height="20" fill="{colour}"/>',
        f'<line x1="{low:.1f}" y1="{y + 10}" x2="{high:.1f}" y2="{y + 10}" stroke="#111827"/>',
        f'<text x="{high + 6:.1f}" y="{y + 15}">{_shown(middle)}</text>',
    ]


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
