"""What an upstream's error says, cut down to what logs, records and reasons can carry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CODE_CHARACTERS = 128
MESSAGE_CHARACTERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamError:
    """`code` is printable ASCII, `message` printable, either may be empty; `param` names what is at fault, if told."""

    code: str
    message: str
    param: str


def read_error(upstream: Mapping[str, Any] | None) -> UpstreamError:
    """The error in an answer, wherever it stands: under `error`, as that field's text, or as the answer itself."""
    error = (upstream or {}).get("error", upstream or {})
    if not isinstance(error, Mapping):
        error = {"message": error}
    return UpstreamError(
        code=shown_code(error.get("code") or error.get("type")),
        message=shown_message(error.get("message")),
        param=shown_code(error.get("param")),
    )


def shown_code(code: object) -> str:
    """At most 128 characters, all of them printable ASCII."""
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in _beginning(code, CODE_CHARACTERS))


def shown_message(message: object) -> str:
    """At most 500 characters on one line, all of them printable."""
    return "".join(c if c.isprintable() else " " for c in _beginning(message, MESSAGE_CHARACTERS))


def _beginning(value: object, most: int) -> str:
    return str(value)[:most] if value else ""
