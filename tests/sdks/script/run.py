"""Runs checks of the OpenAI SDK against a service and prints what became of each, `{"model: check": "" or why not}`.

Arguments: base URL, key, key of a project whose limit is used up, models and rooms of checks, both joined by commas.
"""

import importlib
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from tests.sdks.script.caller import Caller

PARALLEL = 16
Check = Callable[[Caller], None]


def main(base_url: str, key: str, limited_key: str, models: str, rooms: str) -> None:
    callers = [Caller(base_url=base_url, key=key, limited_key=limited_key, model=model) for model in models.split(",")]
    pairs = [(caller, check) for room in rooms.split(",") for check in _checks(room) for caller in callers]
    with ThreadPoolExecutor(PARALLEL) as pool:
        results = list(pool.map(lambda pair: _tried(*pair), pairs))
    names = [f"{caller.model}: {check.__name__.removeprefix('check_')}" for caller, check in pairs]
    print(json.dumps(dict(zip(names, results, strict=True))))  # noqa: T201


def _checks(room: str) -> Iterator[Check]:
    module = importlib.import_module(f"tests.sdks.script.{room}")
    yield from (value for name, value in vars(module).items() if name.startswith("check_"))


def _tried(caller: Caller, check: Check) -> str:
    begun = time.monotonic()
    try:
        check(caller)
    except Exception:  # noqa: BLE001
        return f"after {time.monotonic() - begun:.1f} s\n{traceback.format_exc()}"
    return ""


if __name__ == "__main__":
    main(*sys.argv[1:])
