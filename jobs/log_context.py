"""What all lines say that are written while something is done: which request, job, attempt or delivery it is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

Said = Mapping[str, str | int]

NOTHING: Said = MappingProxyType({})

_said: ContextVar[Said] = ContextVar("said", default=NOTHING)


def said() -> Said:
    """What lines written here and now are about."""
    return _said.get()


@contextmanager
def about(**facts: str | int | None) -> Iterator[None]:
    """Lines written in the block say these facts too; those that are None or empty are left out.

    It holds for the running thread (under gevent: greenlet), not for those that it starts.
    """
    token = _said.set({**_said.get(), **_known(facts)})
    try:
        yield
    finally:
        _said.reset(token)


def begin(**facts: str | int | None) -> None:
    """Lines say these facts and no others, until the thread begins something else."""
    _said.set(_known(facts))


def _known(facts: Mapping[str, str | int | None]) -> dict[str, str | int]:
    return {name: value for name, value in facts.items() if value is not None and value != ""}
