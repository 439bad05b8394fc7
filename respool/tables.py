"""Tables on standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from respool.visible import in_one_line

PIPE_CHARACTERS = 1000
"""Width where there is no terminal: a program that reads the rows wants each of them on one line."""


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The cells as they are, nothing in them read as markup or by a terminal; the first column is never cut."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    table.columns[0].no_wrap = True
    table.columns[0].min_width = max((len(row[0]) for row in rows), default=0)
    for row in rows:
        table.add_row(*(Text(in_one_line(cell)) for cell in row))
    return table


def print_table(table: Table) -> None:
    console = Console(force_terminal=sys.stdout.isatty())
    if not console.is_terminal:
        console.width = PIPE_CHARACTERS
    console.print(table)


def used(count: float, bound: float | None) -> str:
    """`5/200`, or `5` where there is no bound."""
    return number(count) if bound is None else f"{number(count)}/{number(bound)}"


def number(value: float) -> str:
    """`1,234.5`: with at most two decimals."""
    return f"{round(value, 2):,.12g}"
