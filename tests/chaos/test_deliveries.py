"""Receivers fail at random while senders, workers and Redis are killed. `make chaos` runs the long form."""

import os
import random
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from jobs.webhooks.target import Webhook
from schemas.webhook_url import origin_of
from tests.chaos.leaks import nothing_is_owed
from tests.fakes.processes import Running, start_sender
from tests.fakes.receiver import Received, Reply, running_receiver
from tests.fakes.redis_server import KEEPING, RedisServer, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.service import running_workers, submit, wait_for_ends
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.chaos

LONG = os.environ.get("RESPOOL_CHAOS") == "long"
JOBS, RECEIVERS, KILLS, END_SECONDS = (10_000, 20, 12, 900) if LONG else (240, 6, 2, 100)
FAILURES = (
    Reply(status=500),
    Reply(status=429, headers={"Retry-After": "1"}),
    Reply(behaviour="hang"),
    Reply(behaviour="drip_headers"),
    Reply(behaviour="cut"),
    Reply(status=302, headers={"Location": "http://127.0.0.1:9/"}),
    Reply(status=500, body=b"x" * 20_000_000),
)
SETTINGS = {
    "RESPOOL_SECRET": "chaos",
    "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
    "RESPOOL_WEBHOOK_SCHEDULE": ",".join(["0"] + ["0.5"] * 49),
    "RESPOOL_WEBHOOK_TIMEOUT_SECONDS": "1",
}


@dataclass(slots=True)
class Moody:
    """Takes three of four deliveries, and remembers which."""

    dice: random.Random
    taken: Counter[str] = field(default_factory=Counter)
    tried: Counter[str] = field(default_factory=Counter)
    bodies: dict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, received: Received) -> Reply:
        event = received.headers["webhook-id"]
        with self.lock:
            self.tried[event] += 1
            self.bodies[event].add(received.body)
            if self.dice.random() < 0.25:
                return self.dice.choice(FAILURES)
            self.taken[event] += 1
            return Reply(status=200, body=b"x" * 20_000_000 if self.dice.random() < 0.01 else b"")


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[RedisServer]:
    with running_redis(tmp_path, *KEEPING) as server:
        yield server


@contextmanager
def running_senders(count: int, folder: Path, redis_url: str) -> Iterator[list[Running]]:
    with ExitStack() as stack:
        senders = [_sender(folder, redis_url, f"sender{n}") for n in range(count)]
        stack.callback(lambda: [sender.kill() for sender in senders])
        yield senders


def _sender(folder: Path, redis_url: str, name: str) -> Running:
    return start_sender(folder, {"RESPOOL_REDIS_URL": redis_url, **SETTINGS}, name=name)


def test_every_event_arrives_under_its_one_id_although_everything_fails_and_is_killed(
    durable_redis: RedisServer, tmp_path: Path
) -> None:
    dice = random.Random(4)
    client = connect(durable_redis.url)
    sealed = Vault(client, secret=SETTINGS["RESPOOL_SECRET"]).seal(new_secret())
    moody = Moody(random.Random(5))
    with ExitStack() as stack:
        receivers = [stack.enter_context(running_receiver(moody.answer)).url for _ in range(RECEIVERS)]
        sandbox = stack.enter_context(running_sandbox())
        doomed, _ = stack.enter_context(running_workers(2, tmp_path, durable_redis.url, sandbox, slots="100"))
        senders = stack.enter_context(running_senders(2, tmp_path, durable_redis.url))
        numbers: list[str] = []
        for round_ in range(KILLS):
            for url in receivers:
                webhook = Webhook(url=url, origin=origin_of(url), secret=sealed)
                numbers += submit(client, JOBS // KILLS // RECEIVERS, webhook=webhook)
            heard = sum(moody.tried.values())
            wait_until(lambda before=heard: sum(moody.tried.values()) > before)
            time.sleep(dice.uniform(0, 0.8))  # the moment of the kill is what is drawn by lot
            victim = round_ % len(senders)
            senders[victim].kill()
            senders[victim] = _sender(tmp_path, durable_redis.url, f"again{round_}")
            if round_ == KILLS // 2:
                doomed.kill()
                durable_redis.kill()
                durable_redis.start()
        jobs = wait_for_ends(client, numbers, seconds=END_SECONDS)
        wait_until(lambda: nothing_is_owed(client), seconds=END_SECONDS)
    assert Counter(job.status for job in jobs) == {"completed": len(jobs)}
    events = {f"evt_{number}01" for number in numbers}
    assert set(moody.tried) == events
    assert set(moody.taken) == events
    assert all(len(bodies) == 1 for bodies in moody.bodies.values())
    assert client.zcard(keys.project_deliveries("delivered", "default")) == len(events)
    assert client.zcard(keys.project_deliveries("dead", "default")) == 0
    client.close()
