"""The OpenAI SDK in the generations that users have, and a conformance client, each in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.fakes.processes import CLEAN

CHECKOUT = Path(__file__).parents[2]
NEWEST = 3
"""The generation that is installed beside the service; the others are in folders of their own."""
GENERATIONS = (1, 2, NEWEST)


def run_sdk(generation: int, source: str, *args: str) -> str:
    """What the Python program `source` prints, run with `args` where `import openai` is the SDK of that generation."""
    return _run(folders_of(generation), "-c", source, *args)


def run_sdk_module(generation: int, module: str, *args: str) -> Any:
    """The JSON that a module of this checkout prints, run as `run_sdk` does."""
    return json.loads(_run([*folders_of(generation), CHECKOUT], "-m", module, *args))


def run_conformance(base_url: str, *, api_key: str, model: str) -> dict[str, dict[str, Any]]:
    """What llm-comply found of the endpoint, `{status, errors?, warnings?, …}` by the id of each of its tests."""
    command = ["-m", "llm_comply.cli", "--json", "--base-url", base_url, "--api-key", api_key, "--model", model]
    printed = _run([_folder("llm-comply")], "-W", "ignore", *command, may_fail=True)
    return {result["id"]: result for result in json.loads(printed)["results"]}


def _run(folders: Sequence[Path], *command: str, may_fail: bool = False) -> str:
    environ = CLEAN | {"PYTHONPATH": ":".join(map(str, folders))}
    ended = subprocess.run(
        [sys.executable, *command], env=environ, capture_output=True, text=True, timeout=90, check=False
    )
    assert may_fail or ended.returncode == 0, ended.stderr
    return ended.stdout


def folders_of(generation: int) -> list[Path]:
    return [] if generation == NEWEST else [_folder(f"openai-{generation}")]


def _folder(name: str) -> Path:
    folder = CHECKOUT / ".venv" / "sdks" / name
    assert (folder / "ready").exists(), f"{folder} is not there; `make setup` makes it"
    return folder
