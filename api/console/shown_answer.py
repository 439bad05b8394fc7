"""What a Response says, as a page lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.console.shown_request import MOST_CHARACTERS, MOST_PARTS, clip, pretty


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`text` is what is said, `thought` how it came to be, `others` the items that are neither, as JSON; each as far as
    a page shows it. `left_out` is how many of those items it does not.
    """

    text: str
    thought: str
    others: list[str]
    left_out: int
    whole: str

    @property
    def empty(self) -> bool:
        return not (self.text or self.thought or self.others)


def answer_of(response: Mapping[str, Any]) -> Answer:
    items = [item for item in response.get("output") or [] if isinstance(item, Mapping)]
    others = [item for item in items if item.get("type") not in ("message", "reasoning")]
    told = list(_within(others))
    return Answer(
        text=clip("\n\n".join(_texts(items, "message", "content"))),
        thought=clip("\n\n".join(_texts(items, "reasoning", "summary"))),
        others=told,
        left_out=len(others) - len(told),
        whole=pretty(response),
    )


def _within(items: list[Mapping[str, Any]]) -> Iterator[str]:
    left = MOST_CHARACTERS
    for item in items[:MOST_PARTS]:
        if left <= 0:
            return
        text = clip(pretty(item), left)
        left -= len(text)
        yield text


def _texts(items: list[Mapping[str, Any]], kind: str, place: str) -> Iterator[str]:
    for item in items:
        parts = item.get(place) if item.get("type") == kind else None
        for part in parts if isinstance(parts, list) else ():
            text = part.get("text") or part.get("refusal") if isinstance(part, Mapping) else None
            if isinstance(text, str) and text:
                yield text
