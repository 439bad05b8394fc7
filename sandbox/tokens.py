"""What things cost in tokens. The rules are simple on purpose, so that a test can foretell them.

Text: four characters a token, a Chinese, Japanese or Korean character one token each.
Pictures: one token for each 28 × 28 pixels, at most 1,312. Video: the same for each sampled frame,
64 to 640 a frame, at most 81,920 a clip. Files: one token for each 64 bytes, at most 81,920.
"""

import math
import re
from itertools import islice

IMAGE_TOKENS_MAX = 1_312
FRAME_TOKENS_MIN = 64
FRAME_TOKENS_MAX = 640
MEDIUM_TOKENS_MAX = 81_920
PIXELS_PER_TOKEN = 28 * 28
BYTES_PER_TOKEN = 64

# Kana, CJK ideographs with extension A, Hangul, compatibility ideographs, full-width forms, planes 2 and 3.
_WIDE = "\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
_TOKEN = re.compile(f"[{_WIDE}]|[^{_WIDE}]{{1,4}}", re.DOTALL)


def count_text(text: str) -> int:
    """Tokens of a text; none for an empty one."""
    return sum(1 for _ in _TOKEN.finditer(text))


def cut_text(text: str, *, tokens: int) -> str:
    """The first `tokens` tokens of a text."""
    return "".join(piece.group() for piece in islice(_TOKEN.finditer(text), tokens))


def count_image(*, width: int, height: int) -> int:
    """Tokens of a picture of that many pixels."""
    return min(_grid(width, height), IMAGE_TOKENS_MAX)


def count_video(*, width: int, height: int, frames: int) -> int:
    """Tokens of a clip of which `frames` frames are sampled."""
    each = max(FRAME_TOKENS_MIN, min(_grid(width, height), FRAME_TOKENS_MAX))
    return min(each * frames, MEDIUM_TOKENS_MAX)


def count_bytes(byte_count: int) -> int:
    """Tokens of a file that is no text."""
    return min(math.ceil(byte_count / BYTES_PER_TOKEN), MEDIUM_TOKENS_MAX)


def _grid(width: int, height: int) -> int:
    return math.ceil(width * height / PIXELS_PER_TOKEN)
