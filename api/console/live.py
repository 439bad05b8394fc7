"""Pages that stay true without being loaded again: their parts, drawn anew and sent where they changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from flask import g, request

from api.auth import scope
from api.console.door import SIGNED_OUT, session
from api.console.frames import PING, frame, refusal
from api.services import services
from jobs.errors import StoreUnavailable

LOOK_SECONDS = 5.0
"""What depends on the clock alone, such as a rate or a lease, is looked at this often while a page is open."""

REST_SECONDS = 1.0
"""However much happens, a page is not drawn more often."""

FRESH_SECONDS = 0.5
"""A look at the same, that another reader began so lately, will do. Less than the rest: what woke a reader is in it."""

LIFE_SECONDS = 900.0
"""After which a stream ends, and the page asks for it again."""

Parts = Mapping[str, str]
T = TypeVar("T")


def followed(draw: Callable[[], Parts]) -> Iterator[bytes]:
    """The parts that `draw` gives (HTML by the id of its element), each whenever it has become another."""
    shown = Shown()
    since = time.monotonic()
    until = since + LIFE_SECONDS
    with services().happenings.heard() as wait:
        while time.monotonic() < until and not services().happenings.closed:
            try:
                if not signed_in():
                    yield refusal(SIGNED_OUT)
                    return
                yield shown.news(own(looked(draw, since=since)))
            except StoreUnavailable:
                yield shown.away()
            if wait(LOOK_SECONDS):
                time.sleep(REST_SECONDS)
            since = time.monotonic() - FRESH_SECONDS
    yield frame("again", {})


def signed_in() -> bool:
    """Whether the key of the session still is valid. Raises StoreUnavailable."""
    return services().sessions.key_of(session()) is not None


def looked(look: Callable[[], T], *, since: float) -> T:
    """What `look` shows to all who see the same at the address of the present request, from `since` or later."""
    looks = services().looks
    g.token_shown = looks.stand_in
    return looks.look((request.full_path, scope()), look, since=since)


def own(parts: Parts) -> Parts:
    """Shared parts as those of the present session."""
    stand_in, token = services().looks.stand_in, session().token
    return {name: html.replace(stand_in, token) for name, html in parts.items()}


class Shown:
    """What a page shows already."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}
        self._away = False

    def news(self, parts: Parts) -> bytes:
        """The event that tells what is new, or a comment."""
        changed = {name: html for name, html in parts.items() if self._parts.get(name) != html}
        self._parts.update(changed)
        back, self._away = frame("back", {}) if self._away else b"", False
        return back + (frame("parts", changed) if changed else PING)

    def away(self) -> bytes:
        """The event that tells that nothing new can be known at present."""
        self._away = True
        return frame("away", {})
