"""Charts as plain geometry: what is to be drawn where, and the same numbers as a table."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600.0, 120.0
MOST_LINES = 8
"""As many have a colour of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of numbers; `kind` names its colour. None: nothing was measured there."""

    name: str
    kind: str
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A bar, or the column of one moment that tells its numbers when pointed at."""

    x: float
    y: float
    width: float
    height: float
    kind: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Drawn in a box of WIDTH × HEIGHT; `paths` are (kind, d) of SVG. `top` is the text of the highest value."""

    title: str
    labels: Sequence[str]
    lines: Sequence[Line]
    told: Callable[[float | None], str]
    top: str
    bars: Sequence[Mark]
    paths: Sequence[tuple[str, str]]
    columns: Sequence[Mark]

    @property
    def empty(self) -> bool:
        return not any(value for line in self.lines for value in line.values)


def stacked(title: str, labels: Sequence[str], lines: Sequence[Line], *, told: Callable[[float | None], str]) -> Chart:
    """Bars that stand on one another: parts of a whole over time."""
    sums = [sum(line.values[i] or 0 for line in lines) for i in range(len(labels))]
    top = _round_up(max(sums, default=0))
    each = WIDTH / max(1, len(labels))
    bars = []
    for i in range(len(labels)):
        foot = HEIGHT
        for line in lines:
            height = (line.values[i] or 0) / top * HEIGHT
            if height:
                foot -= height
                bars.append(Mark(x=_r(i * each), y=_r(foot), width=_r(each * 0.84), height=_r(height), kind=line.kind))
    return _chart(title, labels, lines, told, top, bars=bars)


def curves(title: str, labels: Sequence[str], lines: Sequence[Line], *, told: Callable[[float | None], str]) -> Chart:
    """Lines beside one another: measures over time, with gaps where nothing was measured."""
    top = _round_up(max((value for line in lines for value in line.values if value is not None), default=0))
    paths = [(line.kind, _path(line.values, top)) for line in lines]
    return _chart(title, labels, lines, told, top, paths=paths)


def _chart(
    title: str,
    labels: Sequence[str],
    lines: Sequence[Line],
    told: Callable[[float | None], str],
    top: float,
    *,
    bars: Sequence[Mark] = (),
    paths: Sequence[tuple[str, str]] = (),
) -> Chart:
    each = WIDTH / max(1, len(labels))
    columns = [
        Mark(x=_r(i * each), y=0, width=_r(each), height=HEIGHT, title=_title(label, lines, i, told))
        for i, label in enumerate(labels)
    ]
    return Chart(
        title=title, labels=labels, lines=lines, told=told, top=told(top), bars=bars, paths=paths, columns=columns
    )


def _title(label: str, lines: Sequence[Line], i: int, told: Callable[[float | None], str]) -> str:
    return "\n".join([label, *(f"{line.name}: {told(line.values[i])}" for line in lines if line.values[i])])


def _path(values: Sequence[float | None], top: float) -> str:
    """A lone value becomes a short stroke, else it would not be seen."""
    each, words, pen = WIDTH / max(1, len(values)), [], False
    for i, value in enumerate(values):
        if value is not None:
            words.append(f"{'L' if pen else 'M'}{_r((i + 0.5) * each):g} {_r(HEIGHT - value / top * HEIGHT):g}")
            if not pen:
                words.append("h2")
        pen = value is not None
    return "".join(words)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(step * power for step in (1.0, 2.0, 5.0, 10.0) if step * power >= value * 0.999999)


def _r(value: float) -> float:
    return round(value, 2)
