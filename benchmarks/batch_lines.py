"""How fast the lines of batches become jobs, with every line validated in full: `python -m benchmarks.batch_lines`.

The lane is paused, so that the worker does nothing else. The clock runs from the first batch that is made until all
lines are queued; a batch feeds no more than a thousand lines at a time, so there are several.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial

import requests

from benchmarks import cost
from benchmarks.found import Column, Found, Target, Values
from benchmarks.peers.work import MODEL, body_of, mark_of
from benchmarks.place import place
from benchmarks.rounds import by_turns
from benchmarks.scenario import options, run
from benchmarks.service import API_KEY, Service, paused, queued
from tests.fakes.waiting import wait_until

OURS = "respool"
LINES_EACH = 1000
COLUMNS = (
    Column(key="rate", title="lines/s"),
    Column(key="worker_ms", title="worker CPU, ms a line", digits=2),
    Column(key="redis_us", title="Redis CPU, µs a line"),
    Column(key="trips", title="reads from clients a line", digits=2),
)


def fed(*, batches: int, lines: int) -> Values:
    with place() as here:
        files = here.folder / "files"
        files.mkdir()
        service = Service(place=here, settings={"files_folder": str(files)})
        with paused(here.client, MODEL), service.api() as (url, _), service.workers() as workers:
            ids = [_upload(url, lines) for _ in range(batches)]
            pid, total = workers[0].pid, batches * lines
            started, before = time.monotonic(), cost.read(here.client, pid)
            for file_id in ids:
                _begin(url, file_id)
            wait_until(lambda: queued(here.client) >= total, seconds=600)
            passed, took = time.monotonic() - started, cost.read(here.client, pid).since(before)
    return {
        "rate": total / passed,
        "worker_ms": 1e3 * took.worker_cpu_seconds / total,
        "redis_us": 1e6 * took.redis_cpu_seconds / total,
        "trips": took.trips / total,
    }


def _upload(url: str, lines: int) -> str:
    texts = (_line(number) for number in range(lines))
    files = {"file": ("lines.jsonl", "\n".join(texts).encode())}
    return str(_post(f"{url}/v1/files", data={"purpose": "batch"}, files=files)["id"])


def _line(number: int) -> str:
    mark = mark_of(number)
    return json.dumps({"custom_id": mark, "method": "POST", "url": "/v1/responses", "body": json.loads(body_of(mark))})


def _begin(url: str, file_id: str) -> None:
    asked = {"input_file_id": file_id, "endpoint": "/v1/responses", "completion_window": "24h"}
    _post(f"{url}/v1/batches", json=asked)


def _post(url: str, **options: object) -> dict[str, object]:
    answer = requests.post(url, headers={"Authorization": f"Bearer {API_KEY}"}, timeout=60, **options)  # type: ignore[arg-type]
    if not answer.ok:
        raise RuntimeError(f"{url} answered {answer.status_code}: {answer.text[:500]}")
    found: dict[str, object] = answer.json()
    return found


def measure(asked: argparse.Namespace) -> Found:
    one = partial(fed, batches=asked.batches, lines=asked.lines)
    samples = by_turns({OURS: one}, rounds=asked.rounds)
    rate = samples.median(OURS, "rate")
    return Found(
        name="batch-lines",
        title="Lines of batches",
        columns=COLUMNS,
        samples=samples.of,
        targets=[Target(text="lines/s", value=rate, bound=2000, wanted="at least", digits=0)],
        options={"batches": asked.batches, "lines": asked.lines, "rounds": asked.rounds},
    )


if __name__ == "__main__":
    reader = options(__doc__, rounds=3)
    reader.add_argument("--batches", type=int, default=8)
    reader.add_argument("--lines", type=int, default=LINES_EACH, help="Of each batch, 1000 at most.")
    raise SystemExit(run(measure, reader.parse_args()))
