"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

PIPE_CHARACTERS = 1000
"""Width where there is no terminal: a program that reads the rows wants each of them on one line."""


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The cells as they are, nothing in them read as markup; the first column is never cut."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


def print_table(table: Table) -> None:
    console = Console()
    if not console.is_terminal:
        console.width = PIPE_CHARACTERS
    console.print(table)


def used(count: float, bound: float | None) -> str:
    """`5/200`, or `5` where there is no bound."""
    return _shown(count) if bound is None else f"{_shown(count)}/{_shown(bound)}"


def _shown(number: float) -> str:
    return f"{round(number, 2):,.12g}"
