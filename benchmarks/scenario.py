"""What the command lines of all scenarios have in common, and what becomes of what they found."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from benchmarks import page
from benchmarks.found import Found
from benchmarks.rounds import tell
from benchmarks.table import table_of, targets_of
from jobs.open_files import allow_open_files


def options(about: str | None, *, rounds: int) -> argparse.ArgumentParser:
    reader = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--rounds", type=int, default=rounds)
    reader.add_argument("--only", default="", help="Comma-separated beginnings of the names of those who take part.")
    reader.add_argument("--page", type=Path, help="Markdown page to write what was found to, with its figures.")
    return reader


def run(measure: Callable[[argparse.Namespace], Found], asked: argparse.Namespace) -> int:
    """Measures, shows, and writes if a page is asked for; a SIGTERM leaves no process behind."""
    signal.signal(signal.SIGTERM, _leave)
    allow_open_files()
    found = measure(asked)
    print(f"{found.title}\n\n{table_of(found)}\n\n{targets_of(found)}")
    if asked.page:
        page.write(asked.page, found)
        tell(f"written to {asked.page}")
    return 0


def takes_part(asked: argparse.Namespace, name: str) -> bool:
    wanted = [word for word in asked.only.split(",") if word]
    return not wanted or any(name.lower().startswith(word.lower()) for word in wanted)


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)
