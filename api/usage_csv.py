"""Usage as a table for spreadsheets: RFC 4180, in UTF-8, a line for each row and one above that names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

MAKES_A_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def usage_csv(rows: Sequence[Mapping[str, object]], columns: Sequence[str]) -> str:
    """The rows as they go out in JSON, under the names of their fields."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows([_cell(row[column]) for column in columns] for row in rows)
    return text.getvalue()


def _cell(value: object) -> str:
    """Text that a spreadsheet would run as a formula gets an apostrophe before it; numbers are written out in full."""
    if isinstance(value, float):
        return _written_out(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.lstrip(" ").startswith(MAKES_A_FORMULA) else text


def _written_out(value: float) -> str:
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
