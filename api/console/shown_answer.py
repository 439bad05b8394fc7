"""What a Response says, as a page lays it out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from api.console.shown_request import pretty

MOST_CHARACTERS = 200_000
"""Of the Response as JSON: a page is no place for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """`text` is what is said, `thought` how it came to be, `others` the items that are neither, as JSON."""

    text: str
    thought: str
    others: list[str]
    whole: str

    @property
    def empty(self) -> bool:
        return not (self.text or self.thought or self.others)


def answer_of(response: Mapping[str, Any]) -> Answer:
    items = [item for item in response.get("output") or [] if isinstance(item, Mapping)]
    whole = pretty(response)
    cut = "\n… GET /v1/jobs/{id} has the whole." if len(whole) > MOST_CHARACTERS else ""
    return Answer(
        text="\n\n".join(_texts(items, "message", "content")),
        thought="\n\n".join(_texts(items, "reasoning", "summary")),
        others=[pretty(item) for item in items if item.get("type") not in ("message", "reasoning")],
        whole=whole[:MOST_CHARACTERS] + cut,
    )


def _texts(items: list[Mapping[str, Any]], kind: str, place: str) -> Iterator[str]:
    for item in items:
        parts = item.get(place) if item.get("type") == kind else None
        for part in parts if isinstance(parts, list) else ():
            text = part.get("text") or part.get("refusal") if isinstance(part, Mapping) else None
            if isinstance(text, str) and text:
                yield text
