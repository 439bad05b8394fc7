"""The OpenAI SDK in the generations that users have, each in a process of its own."""

import subprocess
import sys
from pathlib import Path

from tests.fakes.processes import CLEAN

CHECKOUT = Path(__file__).parents[2]
NEWEST = 3
"""The generation that is installed beside the service; the others are in folders of their own."""
GENERATIONS = (1, 2, NEWEST)


def run_sdk(generation: int, source: str, *args: str) -> str:
    """What the Python program `source` prints, run with `args` where `import openai` is the SDK of that generation."""
    environ = CLEAN if generation == NEWEST else CLEAN | {"PYTHONPATH": str(_folder(generation))}
    ended = subprocess.run(
        [sys.executable, "-c", source, *args], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def _folder(generation: int) -> Path:
    folder = CHECKOUT / ".venv" / "sdks" / f"openai-{generation}"
    assert (folder / "ready").exists(), f"{folder} is not there; `make setup` makes it"
    return folder
