"""How an attempt went, and how its job ended, on the way into the record."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MOST_TOKENS = 10**12
"""An upstream that reports more of one call is not believed, so that the sums stay within what Redis counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Closing:
    """How an attempt went, as its entry shows it. `delivery` is not_sent, sent (no answer came) or answered.

    `nano` is what its usage cost, in 10^-9 of the currency; it is booked, not shown. `kind` is the class of what went
    wrong; it is counted, not shown.
    """

    outcome: str
    delivery: str
    may_be_billed: bool
    http_status: int | None = None
    upstream_request_id: str | None = None
    upstream_response_id: str | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    nano: int = 0
    kind: str | None = None

    def as_json(self) -> str:
        """Objects inside are JSON texts of their own: the scripts, which read the rest, would round their numbers."""
        values = {
            "outcome": self.outcome,
            "delivery": self.delivery,
            "may_be_billed": self.may_be_billed,
            "http_status": self.http_status,
            "upstream_request_id": self.upstream_request_id,
            "upstream_response_id": self.upstream_response_id,
            "usage": _json(self.usage),
            "error": _json(self.error),
            "kind": self.kind,
        }
        return json.dumps({name: value for name, value in values.items() if value is not None})

    def counts_as_json(self) -> str:
        """What the attempt adds to the ledger, {name: count}; empty where no usage is known."""
        usage = self.usage
        if usage is None:
            return ""
        details = {
            "cached_tokens": usage.get("input_tokens_details", {}).get("cached_tokens", 0),
            "reasoning_tokens": usage.get("output_tokens_details", {}).get("reasoning_tokens", 0),
        }
        counts = {name: usage[name] for name in ("input_tokens", "output_tokens", "total_tokens")} | details
        return json.dumps({name: min(count, MOST_TOKENS) for name, count in counts.items()} | {"cost_nano": self.nano})


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """A job's end: `status` is terminal, the rest as the record keeps it."""

    status: str
    response: bytes | None = None
    raw: bytes | None = None
    usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None

    def fields(self) -> list[str | bytes]:
        """The record's fields besides the status, flat."""
        values = {"response": self.response, "raw": self.raw, "usage": _json(self.usage), "error": _json(self.error)}
        return [part for name, value in values.items() if value is not None for part in (name, value)]


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else json.dumps(value)
