"""What one dead receiver among fifty costs the others: `python -m benchmarks.dead_receiver`.

Rounds with and without it take turns in one run. A latency is the time from a job's end to its event's arrival.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from jobs.connection import connect
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from tests.fakes.bench import running_bench
from tests.fakes.post_office import HOOK, PostOffice
from tests.fakes.processes import running_sender
from tests.fakes.receiver import Received, Reply, running_receiver
from tests.fakes.redis_server import running_redis
from tests.fakes.waiting import wait_until

SECRET = "benchmark"
RECEIVERS = 50
MOST_GROWTH = 1.2


@dataclass(slots=True)
class Arrivals:
    """When each event arrived, by its id."""

    at: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, received: Received) -> Reply:
        with self.lock:
            self.at.setdefault(received.headers["webhook-id"], received.at)
        return Reply()


def main() -> int:
    reader = argparse.ArgumentParser(description=__doc__)
    reader.add_argument("--rounds", type=int, default=20)
    reader.add_argument("--each", type=int, default=10, help="Deliveries to each receiver in a round.")
    asked = reader.parse_args()
    arrivals = Arrivals()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(running_redis(folder))
        client = connect(server.url)
        bench = stack.enter_context(running_bench(client))
        well = [stack.enter_context(running_receiver(arrivals.note)).url for _ in range(RECEIVERS - 1)]
        dead = stack.enter_context(running_receiver(Reply(behaviour="hang"))).url
        settings = {
            "RESPOOL_REDIS_URL": server.url,
            "RESPOOL_SECRET": SECRET,
            "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
        }
        stack.enter_context(running_sender(folder, settings))
        seal = Vault(client, secret=SECRET).seal(new_secret())
        office = PostOffice(bench)

        def round_(urls: list[str]) -> list[float]:
            """The latencies of the well ones."""
            ended: dict[str, float] = {}
            for url in random.sample(urls * asked.each, len(urls) * asked.each):
                now = time.time()
                number = office.end_job(replace(HOOK, url=url, origin=url, secret=seal))
                if url != dead:
                    ended[f"evt_{number}01"] = now
                time.sleep(0.002)  # a steady stream, not a burst that waits for itself
            wait_until(lambda: ended.keys() <= arrivals.at.keys(), seconds=120)
            return [arrivals.at[event] - at for event, at in ended.items()]

        round_(well)
        without, beside = [], []
        for _ in range(asked.rounds):
            without += round_(well)
            beside += round_([*well, dead])
    for name, found in (("without", without), ("beside it", beside)):
        found.sort()
        print(f"{name:10} p50 {found[len(found) // 2] * 1000:6.1f} ms  p99 {_p99(found) * 1000:6.1f} ms")
    growth = _p99(beside) / _p99(without)
    print(f"p99 grows to {growth:.2f}")
    return 0 if growth <= MOST_GROWTH else 1


def _p99(found: list[float]) -> float:
    return found[int(len(found) * 0.99)]


if __name__ == "__main__":
    raise SystemExit(main())
