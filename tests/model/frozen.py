"""Scripts in whose world no time passes by itself, and of which one may be changed to see who notices."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache

import pytest

from jobs import scripts
from jobs.scripts import Script

NOW_MS = 1_894_708_800_000
"""In the future of every server, since what expires at a time expires by the server's own."""

_OWN_TIME = "local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A script without one of its checks: `old`, which stands once in it, is `new`."""

    script: str
    old: str
    new: str


@contextmanager
def frozen_scripts(mutants: Mapping[str, Mutant] | None = None) -> Iterator[None]:
    """All scripts run at NOW_MS; those that `mutants` names (by script) are changed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scripts, "script", _frozen(mutants or {}))
        yield


def _frozen(mutants: Mapping[str, Mutant]):  # type: ignore[no-untyped-def]
    own = scripts.script

    @cache
    def frozen(name: str) -> Script:
        source = _replaced(own(name).source, _OWN_TIME, f"local now_us = {NOW_MS * 1000}\n")
        if name in mutants:
            source = _replaced(source, mutants[name].old, mutants[name].new)
        return Script(source=source, digest=hashlib.sha1(source.encode()).hexdigest())

    return frozen


def _replaced(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, f"{old!r} stands {source.count(old)} times in the script"
    return source.replace(old, new)
