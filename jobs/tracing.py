"""Spans of a trace, where somebody collects them; without that, a caller's trace is handed on as it came."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType
from typing import Literal, Protocol

Kind = Literal["server", "consumer", "client"]
Fact = str | int | bool
NO_FACTS: Mapping[str, Fact] = MappingProxyType({})

log = logging.getLogger(__name__)


class Span(Protocol):
    """A piece of work. `traceparent` is what is told to others who take part in it; "" where there is no trace."""

    @property
    def traceparent(self) -> str: ...

    def call(self, name: str) -> None:
        """Gives it another name than the one that it was begun under."""

    def say(self, **facts: Fact | None) -> None:
        """Adds facts; in a name, `__` stands for a dot. None is left out."""

    def fail(self, why: str) -> None:
        """It went wrong; `why` is a code, never a text of somebody else's."""


class Tracer(Protocol):
    def span(
        self, name: str, *, kind: Kind, within: str | None = None, facts: Mapping[str, Fact] = NO_FACTS
    ) -> AbstractContextManager[Span]:
        """`within`: the traceparent of what it is a part of, "" if of nothing; None: of what is under way here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """A span that nobody collects."""

    traceparent: str = ""

    def call(self, name: str) -> None:
        """Nothing."""

    def say(self, **facts: Fact | None) -> None:
        """Nothing."""

    def fail(self, why: str) -> None:
        """Nothing."""


_current: ContextVar[Span] = ContextVar("span", default=Passed())  # noqa: B039 - it cannot be changed


def current() -> Span:
    """The span under way in this thread."""
    return _current.get()


@contextmanager
def under_way(span: Span) -> Iterator[Span]:
    token = _current.set(span)
    try:
        yield span
    finally:
        _current.reset(token)


class Untraced:
    """Collects nothing."""

    def span(
        self, name: str, *, kind: Kind, within: str | None = None, facts: Mapping[str, Fact] = NO_FACTS
    ) -> AbstractContextManager[Span]:
        return nullcontext(current()) if within is None else under_way(Passed(traceparent=within))


UNTRACED = Untraced()


def open_tracer(environ: Mapping[str, str], *, service: str) -> Tracer:
    """What the variables OTEL_… of `environ` ask for; `service` is the service's name unless they give one.

    Nothing of OpenTelemetry is imported unless they ask for traces.
    """
    if not _wanted(environ):
        return UNTRACED
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        log.warning("OTEL_… asks for traces, which `pip install 'respool[otel]'` is needed for; there are none")
        return UNTRACED
    from jobs.otel import open_collected

    return open_collected(environ, service=service)


def _wanted(environ: Mapping[str, str]) -> bool:
    if environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or environ.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    asking = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    return any(environ.get(name) for name in asking)
