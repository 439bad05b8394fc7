"""Options of the form KEY=VALUE."""

from __future__ import annotations

from collections.abc import Sequence

import click


def read_pairs(texts: Sequence[str], *, option: str) -> dict[str, str]:
    """What they say. Raises click.BadParameter."""
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not (key and sign):
            raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=option)
        found[key] = value
    return found
