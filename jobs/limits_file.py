"""The limits file as a document: its tables, and how a mistake in one is told."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from jobs.errors import SettingsError
from jobs.limit_fields import read_table

NAME = "RESPOOL_LIMITS_FILE"

T = TypeVar("T")


def read_document(path: Path) -> Mapping[str, object]:
    """The TOML file at `path`. Raises SettingsError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(NAME, f"cannot be read: {error}") from error


def read_one(document: Mapping[str, object], name: str, read: Callable[[Mapping[str, object]], T]) -> T:
    """The table `name`, read. Raises SettingsError, which names the table, in place of ValueError."""
    with _named(""):
        table = read_table(document, name)
    with _named(f"[{name}]"):
        return read(table)


def read_each(
    document: Mapping[str, object], name: str, read: Callable[[str, Mapping[str, object]], T]
) -> dict[str, T]:
    """Every table inside the table `name`, read by its own name. Raises SettingsError as `read_one`."""
    with _named(""):
        tables = read_table(document, name)
    found = {}
    for key in tables:
        with _named(f'[{name}."{key}"]'):
            found[key] = read(key, read_table(tables, key))
    return found


def read_whole(document: Mapping[str, object], read: Callable[[Mapping[str, object]], T]) -> T:
    """What stands outside the tables, read. Raises SettingsError in place of ValueError."""
    with _named(""):
        return read(document)


@contextmanager
def _named(where: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise SettingsError(NAME, f"{where} {error}".strip()) from None
