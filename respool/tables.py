"""Tables on standard output."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from respool.errors import understood
from respool.visible import in_one_line

T = TypeVar("T")

FOLDED_CHARACTERS = 20
"""The narrowest that the last column gets."""

GAP_CHARACTERS = 2

PIPE_CHARACTERS = 1000
"""Width where there is no terminal: a program that reads the rows wants each of them on one line."""


def text_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    """The cells as they are, nothing in them read as markup or by a terminal; only the last column is folded."""
    table = Table(*columns, box=None, header_style="bold", pad_edge=False)
    cleaned = [[in_one_line(cell) for cell in row] for row in rows]
    for column, *cells in zip(table.columns, columns, *cleaned, strict=True):
        column.min_width = max(map(cell_len, cells))
        column.no_wrap = True
    table.columns[-1].min_width, table.columns[-1].no_wrap = None, False
    for row in cleaned:
        table.add_row(*map(Text, row))
    return table


def rows(cells: Callable[[T], tuple[str, ...]], found: Iterable[T]) -> list[tuple[str, ...]]:
    """The cells of what a service has answered. Raises Refused where that is not understood."""
    with understood():
        return [cells(one) for one in found]


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leaves it to whoever ends the process."""
        raise BrokenPipeError


def print_table(table: Table) -> None:
    console = _Console(force_terminal=sys.stdout.isatty())
    if not console.is_terminal:
        console.width = PIPE_CHARACTERS
    # What is wider than the terminal is wrapped by it, row by row: a cell that is cut says nothing.
    least = sum((column.min_width or FOLDED_CHARACTERS) + GAP_CHARACTERS for column in table.columns)
    console.width = max(console.width, least)
    console.print(table)


def used(count: float, bound: float | None) -> str:
    """`5/200`, or `5` where there is no bound."""
    return number(count) if bound is None else f"{number(count)}/{number(bound)}"


def number(value: float) -> str:
    """`1,234.5`: with at most two decimals."""
    return f"{round(value, 2):,.12g}"
