"""Files that their owner alone can read."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO


def write_private(path: Path, text: str) -> None:
    """The whole text or nothing: a reader never sees half of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open_private(draft) as file:
            file.write(text.encode())
        draft.replace(path)
    finally:
        with suppress(FileNotFoundError):
            draft.unlink()


def open_private(path: Path) -> BinaryIO:
    """A new file. Raises FileExistsError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
