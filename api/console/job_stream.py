"""One job as it goes on: the parts of its page, and the text of its answer as it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator

from api.console.door import session
from api.console.live import LIFE_SECONDS, PING, Parts, Shown, frame
from api.services import services
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import FIRST_NUMBER, RESTARTED, Entry, Look

TEXTS = {"response.output_text.delta": "text", "response.reasoning_summary_text.delta": "thought",
         "response.reasoning_text.delta": "thought", "response.refusal.delta": "text"}  # fmt: skip
SOON_SECONDS = 2.0
"""For a place in the queue or a delivery that is owed: both change without a word."""

LATER_SECONDS = 15.0


def job_events(number: str, draw: Callable[[], tuple[Parts, bool]]) -> Iterator[bytes]:
    """What a page of job `number` is to be told. `draw` gives its parts, and whether nothing more will change.

    Each connection begins with `begin`: what was streamed before is told again.
    """
    shown, seen = Shown(), FIRST_NUMBER - 1
    until = time.monotonic() + LIFE_SECONDS
    yield frame("begin", {})
    with services().followers.followed(number) as wait:
        while time.monotonic() < until and services().sessions.key_of(session()) is not None:
            seconds = LATER_SECONDS
            try:
                look = services().event_log.look(number, after=seen)
                if look is None:
                    break
                yield from _texts(look)
                seen = look.entries[-1].number if look.entries else seen
                if not look.exhausted:
                    continue
                parts, over = draw()
                yield shown.news(parts)
                if over:
                    break
                seconds = SOON_SECONDS if look.status != "in_progress" else LATER_SECONDS
            except JobNotFound:
                break
            except StoreUnavailable:
                yield PING
                seconds = SOON_SECONDS
            wait(seconds)
    yield frame("over", {})


def _texts(look: Look) -> Iterator[bytes]:
    """Neighbouring pieces of one kind go together."""
    gathered: list[str] = []
    kind = ""
    for entry in look.entries:
        if entry.number <= look.void - 1:
            continue
        told = "restarted" if entry.type == RESTARTED else TEXTS.get(entry.type, "")
        if told != kind and gathered:
            yield frame(kind, "".join(gathered))
            gathered = []
        if told == "restarted":
            yield frame("restarted", "")
        elif told:
            gathered.append(_delta(entry))
        kind = told
    if gathered:
        yield frame(kind, "".join(gathered))


def _delta(entry: Entry) -> str:
    event = json.loads(entry.event)
    return str(event.get("delta") or "")
