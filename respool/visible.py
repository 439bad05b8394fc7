"""Text and JSON from elsewhere, as it may be written to a terminal."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from typing import Any

import click

_STEERING = r"\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff"
"""C1 controls, what turns the direction of writing, and halves of characters."""

_controls = re.compile(rf"[\x00-\x08\x0b-\x1f{_STEERING}]")
_unescaped = re.compile(f"[{_STEERING}]")


def shown(text: str) -> str:
    """The text without the characters by which it could steer a terminal; tabs and line ends stay."""
    return _controls.sub("\N{REPLACEMENT CHARACTER}", text)


def in_one_line(text: str) -> str:
    """The same on one line, for a cell of a table."""
    return " ".join(shown(text).split()) if "\n" in text or "\t" in text else shown(text)


def print_document(document: Any) -> None:
    """One JSON document over several lines."""
    click.echo(in_json(document, indent=2))


def print_line(document: Any) -> None:
    """One JSON document on a line of its own."""
    click.echo(in_json(document))


def print_lines(documents: Iterable[Any]) -> None:
    """JSON lines, each as soon as it is known."""
    for document in documents:
        print_line(document)


def print_piece(text: str) -> None:
    """A part of a text that goes on, at once."""
    click.echo(shown(text), nl=False)
    sys.stdout.flush()


def in_json(document: Any, *, indent: int | None = None) -> str:
    """On one line without `indent`; what steers a terminal, or is no character, is escaped."""
    text = json.dumps(document, ensure_ascii=False, indent=indent)
    return _unescaped.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
