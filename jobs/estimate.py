"""How many tokens a request may take, before anyone has counted them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

CHARACTERS_PER_TOKEN = 3
TOKENS_PER_MEDIUM = {"input_image": 1300, "input_video": 10000, "input_file": 3000, "input_audio": 3000}
MOST_TOKENS = 10_000_000
"""No request takes more, whatever output it allows."""

OUTPUT_TOKENS = 1000
"""Reserved where the request sets no `max_output_tokens`."""


def estimate_tokens(request: Mapping[str, Any]) -> int:
    """Input by the length of its texts and the kind of its media, plus the most output it asks for."""
    most_output = request.get("max_output_tokens") or OUTPUT_TOKENS
    return min(_tokens(request.get("input")) + _tokens(request.get("instructions")) + most_output, MOST_TOKENS)


def _tokens(value: object) -> int:
    match value:
        case str():
            return -(-len(value) // CHARACTERS_PER_TOKEN)
        case list():
            return sum(_tokens(item) for item in value)
        case {"type": str(kind), **_rest} if kind in TOKENS_PER_MEDIUM:
            return TOKENS_PER_MEDIUM[kind]
        case dict():
            return sum(_tokens(value.get(part)) for part in ("content", "text", "arguments", "output"))
        case _:
            return 0
