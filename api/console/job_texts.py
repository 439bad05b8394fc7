"""What the endpoint streams of an answer, as a page is told of it: text by text, and no more than a page can show."""

from __future__ import annotations

import json
from collections.abc import Iterator

from api.console.frames import frame
from api.console.shown_request import MOST_CHARACTERS
from jobs.event_log import FIRST_NUMBER, RESTARTED, Entry, Look

TEXTS = {"response.output_text.delta": "text", "response.reasoning_summary_text.delta": "thought",
         "response.reasoning_text.delta": "thought", "response.refusal.delta": "text"}  # fmt: skip
CUT = " … It is too long to be shown here as it comes."


class JobTexts:
    """`seen` is the number of the last event that was told."""

    def __init__(self) -> None:
        self.seen = FIRST_NUMBER - 1
        self._left = MOST_CHARACTERS

    def news(self, look: Look) -> Iterator[bytes]:
        """What `look` found behind `seen`; neighbouring pieces of one kind go together."""
        gathered: list[str] = []
        kind = ""
        for entry in look.entries:
            self.seen = entry.number
            if entry.number <= look.void - 1:
                continue
            told = "restarted" if entry.type == RESTARTED else TEXTS.get(entry.type, "")
            if told != kind and gathered:
                yield frame(kind, "".join(gathered))
                gathered = []
            if told == "restarted":
                self._left = MOST_CHARACTERS
                yield frame("restarted", "")
            elif told and self._left > 0:
                gathered.append(self._within(_delta(entry)))
            kind = told
        if gathered:
            yield frame(kind, "".join(gathered))

    def _within(self, text: str) -> str:
        kept = text[: self._left]
        self._left -= len(text)
        return kept if self._left > 0 else kept + CUT


def _delta(entry: Entry) -> str:
    event = json.loads(entry.event)
    return str(event.get("delta") or "")
