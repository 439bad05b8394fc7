"""How many deliveries one sender process makes a second to a quick receiver: `python -m benchmarks.deliveries`.

Beside it, in the same run: as many POSTs by a bare loop of requests, which signs nothing, remembers nothing and
loses everything when it dies.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import redis

from benchmarks.idle import cpu_seconds
from jobs import keys
from jobs.connection import connect
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from tests.fakes.bench import running_bench
from tests.fakes.post_office import HOOK, PostOffice
from tests.fakes.processes import start_sender
from tests.fakes.redis_server import running_redis
from tests.fakes.waiting import wait_until

SECRET = "benchmark"


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--deliveries", type=int, default=10_000)
    count = reader.parse_args().deliveries
    with tempfile.TemporaryDirectory() as name, running_redis(Path(name)) as server, receiving() as url:
        bare = float(_run("benchmarks.bare_requests", url, str(count), "session"))
        client = connect(server.url)
        seal = Vault(client, secret=SECRET).seal(new_secret())
        with running_bench(client) as bench:
            office = PostOffice(bench)
            for _ in range(count):
                office.end_job(replace(HOOK, url=f"{url}/hook", origin=url, secret=seal))
        seconds, cpu = deliver(server.url, Path(name), client)
    print(f"bare requests loop: {count / bare:,.0f} POSTs a second")
    print(f"one sender process: {count / seconds:,.0f} deliveries a second, {1000 * cpu / count:.2f} ms of CPU each")
    print(f"ratio: {bare / seconds:.2f}")
    return 0


def deliver(redis_url: str, folder: Path, client: redis.Redis) -> tuple[float, float]:
    """The seconds until nothing is owed any more, counted from the first delivery, and those of CPU."""
    settings = {"RESPOOL_REDIS_URL": redis_url, "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8", "RESPOOL_SECRET": SECRET}
    owed = keys.project_deliveries("open", "default")
    sender = start_sender(folder, settings)
    try:
        started, cpu = time.perf_counter(), cpu_seconds(sender.process.pid)
        done = client.zcard(keys.project_deliveries("delivered", "default"))
        left = client.zcard(owed)
        wait_until(lambda: client.zcard(owed) == 0, seconds=600)
        passed = time.perf_counter() - started
        share = left / (left + done)  # those made before the clock was started do not count
        return passed / share, (cpu_seconds(sender.process.pid) - cpu) / share
    finally:
        sender.kill()


@contextmanager
def receiving() -> Iterator[str]:
    """The origin of a receiver in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.receiver"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        finally:
            process.kill()


def _run(module: str, *args: str) -> str:
    return subprocess.run([sys.executable, "-m", module, *args], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    raise SystemExit(main())
