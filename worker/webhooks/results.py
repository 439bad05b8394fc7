"""What can come of one POST to a receiver."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Error = Literal[
    "blocked_url",
    "blocked_address",
    "dns_error",
    "connect_timeout",
    "connect_error",
    "tls_error",
    "timeout",
    "connection_cut",
    "stopping",
    "too_many_open_files",
    "secret_unreadable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The receiver sent a whole head. `headers` is case-insensitive; `answer` is what was read of the body, raw."""

    http_status: int
    headers: Mapping[str, str]
    answer: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """No answer. `error` never tells what a name was resolved to; too_many_open_files is this process's own trouble."""

    error: Error
