"""Misbehaviour on request: a list such as `status=429;retry_after=2;times=3`, in a header or in metadata.

The list stands in the header `x-sandbox-fault` or in `metadata.sandbox`; the header wins. `;` separates its entries,
or `,` where it holds no `;`. KNOWN says what each entry means. All entries of a list hold for the same calls.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Refused
from sandbox.fault_values import flag, header_text, one_of, seconds, some_of, text, whole

BYTES_MAX = 4 * 1024**3
SHAPES = (
    *("bare", "wrong", "null_output", "no_output", "error_in_200", "array", "string", "empty_object"),
    *("status_failed", "status_in_progress", "status_cancelled", "status_unknown"),
)
STREAM_WAYS = ("always", "never", "no_event_lines", "no_done", "float_times", "int_codes", "error_event", "no_resume")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """How one call is to go wrong; the plain value is a call that goes well. See KNOWN for what each means."""

    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: str | None = None
    body: str | None = None
    delay: float = 0.0
    hang: bool = False
    pace: float = 0.0
    drip: float = 0.0
    drip_headers: float = 0.0
    stall: bool = False
    cut: str | None = None
    json: str | None = None
    shape: str | None = None
    huge: int = 0
    media: str | None = None
    stream: frozenset[str] = frozenset()
    queued: float = 0.0
    lost: bool = False
    poll_status: int | None = None
    poll_times: int | None = None
    times: int | None = None
    every: int | None = None

    @property
    def replaces_answer(self) -> bool:
        """The request is not even looked at."""
        return self.status is not None or self.body is not None

    def fails_poll(self, *, polls: int) -> bool:
        """Whether the `polls`-th GET (from 1) of the response that came of the call is to fail."""
        return self.poll_status is not None and (self.poll_times is None or polls <= self.poll_times)

    def is_due(self, *, calls: int) -> bool:
        """Whether the fault holds for the `calls`-th call (from 1) of its kind."""
        early = self.times is None or calls <= self.times
        return early and (self.every is None or calls % self.every == 0)


def fault_text(header: str | None, body: Mapping[str, Any]) -> str:
    """The fault that a call asks for, "" for none."""
    metadata = body.get("metadata")
    asked = header or (metadata.get("sandbox") if isinstance(metadata, dict) else None)
    return asked.strip() if isinstance(asked, str) else ""


def parse_fault(asked: str) -> Fault:
    """Read a fault list. Raises Refused (400) for an entry that is unknown or has a wrong value."""
    values: dict[str, Any] = {}
    for entry in filter(None, (part.strip() for part in asked.split(";" if ";" in asked else ","))):
        name, _, value = (part.strip() for part in entry.partition("="))
        if name not in KNOWN:
            raise Refused(
                f"There is no sandbox fault {name!r}. Known are: {', '.join(KNOWN)}.", param="metadata.sandbox"
            )
        read, hint = KNOWN[name]
        try:
            values[name] = read(value)
        except ValueError as error:
            raise Refused(f"The sandbox fault {name} takes {hint}.", param="metadata.sandbox") from error
    return Fault(**values)


# Entry → (how its value is read, what it takes).
KNOWN: dict[str, tuple[Callable[[str], Any], str]] = {
    "status": (whole(200, 599), "an HTTP status from 200 to 599, answered with an error body"),
    "code": (text, "the code in that error body, or in a Response that failed"),
    "message": (text, "the message in that error body, or in a Response that failed"),
    "retry_after": (header_text, "what Retry-After says: anything, or date:SECONDS for an HTTP date so far from now"),
    "body": (
        one_of("html", "text", "json", "empty"),
        "html, text, json or empty: the kind of body, status 200 if unset",
    ),
    "delay": (seconds, "seconds to think before answering, up to 3600"),
    "hang": (flag, "no value: it never answers, until the caller leaves, it is cancelled or an hour has passed"),
    "pace": (seconds, "seconds between two events of a stream"),
    "drip": (seconds, "seconds over which the body is sent byte by byte"),
    "drip_headers": (seconds, "seconds over which the head of the answer is sent byte by byte"),
    "stall": (flag, "no value: it stops in the middle of the body and keeps the connection open"),
    "cut": (
        one_of("before", "headers", "middle"),
        "before (any byte), headers (after them) or middle (of the body): where the connection is cut",
    ),
    "json": (one_of("broken"), "broken: the body ends in the middle, though its length is right"),
    "shape": (one_of(*SHAPES), f"one of {', '.join(SHAPES)}"),
    "huge": (whole(1, BYTES_MAX), "a number of bytes that the answer is padded with, up to 4 GiB"),
    "media": (one_of("strict"), "strict: a medium that cannot be seen is a 400"),
    "stream": (some_of(*STREAM_WAYS), f"one or more, joined by +, of {', '.join(STREAM_WAYS)}"),
    "queued": (seconds, "seconds for which a background response stays queued, up to 3600"),
    "lost": (flag, "no value: the response is not known by its id"),
    "poll_status": (whole(400, 599), "an HTTP status from 400 to 599 for each GET of the response by its id"),
    "poll_times": (whole(0, 1_000_000), "how many first GETs of the response poll_status holds for"),
    "times": (
        whole(0, 1_000_000),
        "how many first calls with one Idempotency-Key (else with one fault list) it holds for",
    ),
    "every": (whole(1, 1_000_000), "N: it holds for each Nth call only"),
}
