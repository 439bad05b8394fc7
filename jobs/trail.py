"""What the work for one request is found by, in every log and in a trace."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jobs.log_context import Said

_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=\Z|-)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """`request_id`: of the request that began the work; `traceparent`: as W3C Trace Context has it. Each may be ""."""

    request_id: str = ""
    traceparent: str = ""

    def fields(self) -> dict[str, str]:
        """As a record keeps it: what is empty is absent."""
        values = {"request_id": self.request_id, "traceparent": self.traceparent}
        return {name: value for name, value in values.items() if value}

    @property
    def said(self) -> Said:
        return {"request_id": self.request_id, "trace_id": trace_id(self.traceparent)}


def read_trail(request_id: bytes | None, traceparent: bytes | None) -> Trail:
    """From a record's fields."""
    return Trail(request_id=(request_id or b"").decode(), traceparent=(traceparent or b"").decode())


def read_traceparent(text: str) -> str:
    """The header's value if it is one, in version 00, which a later version can be read as; else ""."""
    found = _TRACEPARENT.match(text.strip().lower() if len(text) <= 512 else "")
    whole = found is not None and (text.strip()[:3] != "00-" or found.end() == len(text.strip()))
    return f"00{found[0][2:]}" if found is not None and whole else ""


def trace_id(traceparent: str) -> str:
    return traceparent[3:35]
