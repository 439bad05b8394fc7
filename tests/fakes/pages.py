"""README.md and the pages of docs/: what stands in their fences, and what is said of it in a comment before."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CHECKOUT = Path(__file__).parents[2]
PAGES = sorted(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "README.md", *(CHECKOUT / "docs").rglob("*.md")))
FENCE = re.compile(
    r"^(?:<!-- (?P<said>not run: (?P<why>.+?)|run beside what follows) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
How = Literal["run", "beside", "not"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`line` is where its text begins; `how` tells whether it runs to its end, beside what follows, or not at all."""

    page: str
    line: int
    language: str
    text: str
    how: How

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def text_of(page: str) -> str:
    return (CHECKOUT / page).read_text(encoding="utf-8")


def blocks_of(page: str, *languages: str) -> list[Block]:
    """Those in one of the languages, or all."""
    return [block for block in _blocks(page) if not languages or block.language in languages]


def _blocks(page: str) -> Iterator[Block]:
    text = text_of(page)
    for found in FENCE.finditer(text):
        how: How = "not" if found["why"] else "beside" if found["said"] else "run"
        line = text.count("\n", 0, found.start("text")) + 1
        yield Block(page=page, line=line, language=found["language"], text=found["text"], how=how)
