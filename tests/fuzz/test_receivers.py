"""Receivers of webhooks that answer anything: the sender lives on in bounded memory, and every delivery ends."""

import itertools
import os
import random
import socket
from pathlib import Path

import psutil
import pytest
import redis

from jobs import keys
from jobs.store import JobStore
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from jobs.webhooks.target import Webhook
from schemas.webhook_url import origin_of
from tests.factories import new_job, unique
from tests.fakes.processes import running_sender
from tests.fakes.raw_server import http_answer, raw_server
from tests.fakes.waiting import wait_until
from tests.fuzz.bad_answers import bad

LONG = os.environ.get("RESPOOL_FUZZ") == "long"
SEED = int(os.environ.get("RESPOOL_FUZZ_SEED", "1"))
DELIVERIES, END_SECONDS = (3000, 1500) if LONG else (60, 90)
SCHEDULE = (0, 0.2, 0.2)
MOST_MIB = 300
SETTINGS = {
    "RESPOOL_SECRET": "fuzz",
    "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
    "RESPOOL_WEBHOOK_SCHEDULE": ",".join(map(str, SCHEDULE)),
    "RESPOOL_WEBHOOK_TIMEOUT_SECONDS": "2",
    "RESPOOL_WEBHOOK_SLOTS": "20",
}

pytestmark = pytest.mark.timeout(3600)


def owe(client: redis.Redis, url: str, count: int) -> None:
    """Each in a project of its own, so that no origin's breaker holds up the others."""
    store, sealed = JobStore(client, max_queued_bytes=2**40), Vault(client, secret="fuzz").seal(new_secret())
    for place in range(count):
        webhook = Webhook(url=url, origin=origin_of(url), secret=sealed)
        number = store.submit(new_job(project=f"p{place}", webhook=webhook), unique()).number
        store.cancel(number, project=None)


def deliveries(client: redis.Redis, kind: str) -> int:
    return sum(client.zcard(keys.project_deliveries(kind, f"p{place}")) for place in range(DELIVERIES))


def test_whatever_receivers_answer_every_delivery_ends_by_its_schedule(
    store_client: redis.Redis, redis_url: str, tmp_path: Path
) -> None:
    turn = itertools.count()

    def answer(connection: socket.socket) -> None:
        dice = random.Random(f"{SEED}:{next(turn)}")
        (bad(dice) if dice.random() < 0.8 else lambda caller: caller.sendall(http_answer(b"")))(connection)

    with raw_server(answer) as server:
        owe(store_client, f"{server.url}/hook", DELIVERIES)
        with running_sender(tmp_path, {"RESPOOL_REDIS_URL": redis_url, **SETTINGS}) as sender:
            wait_until(lambda: deliveries(store_client, "open") == 0, seconds=END_SECONDS)
            mib = psutil.Process(sender.process.pid).memory_info().rss // 2**20
            assert sender.process.poll() is None
            log = sender.log.read_text()
    delivered, dead = deliveries(store_client, "delivered"), deliveries(store_client, "dead")
    print(
        f"\nseed {SEED}: {DELIVERIES} deliveries, {len(server.requests)} answers, sender {mib} MiB\n"
        f"{delivered} delivered, {dead} dead"
    )
    assert "Traceback" not in log, log[-4000:]
    assert mib < MOST_MIB
    assert (delivered + dead, delivered > 0) == (DELIVERIES, True)
    assert len(server.requests) <= DELIVERIES * len(SCHEDULE)
