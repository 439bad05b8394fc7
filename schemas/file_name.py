"""What a file may be called. A name is data and never part of a path."""

import re
import unicodedata

MOST_NAME_CHARACTERS = 255
_never = frozenset({"Cc", "Cs", "Zl", "Zp"})  # controls, halves of surrogates, ends of lines and paragraphs
_turns = re.compile("[\u202a-\u202e\u2066-\u2069]")  # the direction of writing: one name would be shown as another


def is_file_name(text: str) -> bool:
    """Spaces of all widths, joined pictures and characters that are newer than this program are fine."""
    return (
        0 < len(text) <= MOST_NAME_CHARACTERS
        and _turns.search(text) is None
        and _never.isdisjoint(map(unicodedata.category, text))
    )
