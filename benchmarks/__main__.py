"""All of what is measured, one scenario after the other: `python -m benchmarks`, or `make bench`.

Each scenario is a program of its own, and one that fails does not keep the others from running. What they find goes
into docs/performance.md. `--brief` runs all with sizes that tell nothing but that they run.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.upstream import CHECKOUT

PAGE = CHECKOUT / "docs" / "performance.md"


@dataclass(frozen=True, slots=True)
class Planned:
    """The words of a scenario, and those that make it brief."""

    words: str
    brief: str


PLAN = (
    Planned("drain --rounds 5 --jobs 5000", "--rounds 1 --jobs 300"),
    Planned("in_flight --calls 5000 --seconds 10 --rounds 2", "--rounds 1 --calls 100 --seconds 2"),
    Planned("in_flight --calls 10000 --seconds 30 --only respool", "--calls 100 --seconds 2"),
    Planned("in_flight --calls 10000 --seconds 30 --tls", "--calls 100 --seconds 2"),
    Planned("latency --rounds 3 --jobs 200", "--rounds 1 --jobs 20"),
    Planned("submit --rounds 5 --requests 5000", "--rounds 1 --requests 300"),
    Planned("batch_lines --rounds 3", "--rounds 1 --batches 2 --lines 200"),
    Planned("growth --many 1000000", "--few 300 --many 3000 --rounds 10 --no-idle"),
    Planned("horizontal", "--workers 1,2,3 --width 20 --call-seconds 2 --seconds 6"),
    Planned("streams --rounds 2", "--rounds 1 --jobs 4 --readers 20 --seconds 3"),
    Planned("start --rounds 5", "--rounds 1"),
    Planned("redis_steps --rounds 5", "--rounds 1 --jobs 256"),
    Planned("trips --rounds 5", "--rounds 1 --commands 1000"),
)


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    reader.add_argument("--brief", action="store_true")
    reader.add_argument(
        "--page", type=Path, help="docs/performance.md if left out; of a brief run, nothing is written."
    )
    asked = reader.parse_args()
    page = asked.page or (None if asked.brief else PAGE)
    failed = []
    for planned in PLAN:
        module, *words = planned.words.split()
        words += planned.brief.split() if asked.brief else []
        print(f"== {module} {' '.join(words)}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", f"benchmarks.{module}", *words, *(("--page", str(page)) if page else ())]
        if subprocess.run(command, check=False).returncode:
            failed.append(planned.words)
    for words in failed:
        print(f"failed: {words}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
