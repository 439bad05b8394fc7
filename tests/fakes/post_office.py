"""Deliveries side by side with the jobs that they come from, and senders that do only what a test tells them."""

import json
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys
from jobs.webhooks.deliveries import Deliveries, DeliveryClaim, Settled, Tried, Verdict
from jobs.webhooks.releases import Released, Releases
from jobs.webhooks.senders import Senders, SweptDeliveries
from jobs.webhooks.target import Webhook
from tests.fakes.bench import ABOUT, Bench, Release

ORIGIN = "https://hooks.example.com:443"
HOOK = Webhook(url="https://hooks.example.com/in?token=t", origin=ORIGIN, secret="sealed")
SCHEDULE = (0.0, 5.0, 300.0)

DELIVERED = Verdict(status="delivered", origin="up")
GONE = Verdict(status="gone", origin="up")
TRIED = Tried(started_at=1.0, latency_ms=12, http_status=200, answer="ok")


def retrying(delay_seconds: float = 0.0, **changes: Any) -> Verdict:
    """A fault of the receiver; the next attempt comes after so many seconds."""
    values: dict[str, Any] = {"status": "retrying", "origin": "fault", "delay_seconds": delay_seconds}
    return Verdict(**values | changes)


@dataclass(slots=True)
class PostOffice:
    bench: Bench
    schedule: tuple[float, ...] = SCHEDULE
    disable_seconds: float = 432_000.0

    @property
    def client(self) -> redis.Redis:
        return self.bench.client

    @property
    def senders(self) -> Senders:
        return Senders(self.client)

    def deliveries(self, sender: str = "s1") -> Deliveries:
        return Deliveries(self.bench.coalescer, sender=sender, disable_seconds=self.disable_seconds)

    def end_job(self, webhook: Webhook | None = HOOK, **changes: Any) -> str:
        """The number of a job that was cancelled, which is the shortest way to an end."""
        number = self.bench.submit(webhook=webhook, **changes)
        self.bench.store.cancel(number, project=None)
        return number

    def beat(self, sender: str = "s1", *, slots: int = 100) -> None:
        self.senders.beat(sender, slots=slots, about=ABOUT)

    def release(self, leader: str = "leader") -> Released:
        return Releases(self.client, schedule=self.schedule).release(leader)

    def messages(self, sender: str = "s1") -> list[Release]:
        return self.bench.releases(sender)

    def claim(self, sender: str = "s1", *, nonce: str = "n") -> list[DeliveryClaim]:
        """Claims all that the sender's messages released."""
        return [
            claim
            for message in self.messages(sender)
            for claim in self.deliveries(sender).claim(message.numbers, dispatch=message.dispatch, nonce=nonce)
        ]

    def take(self, sender: str = "s1", *, slots: int = 100) -> list[DeliveryClaim]:
        """All that may go now, claimed by the sender."""
        self.beat(sender, slots=slots)
        self.release()
        return self.claim(sender)

    def settle(self, claim: DeliveryClaim, verdict: Verdict = DELIVERED, tried: Tried = TRIED) -> Settled:
        return self.deliveries().settle(claim, verdict, tried)

    def kill(self, sender: str) -> None:
        """Lets the sender's lease run out, as its death does."""
        self.client.zadd(keys.SENDERS, {sender: 1})

    def sweep(self) -> SweptDeliveries | None:
        """A sweep that is not held up by the one before, as if that had been just now."""
        self.client.delete(keys.DELIVERY_SWEEP)
        self.client.hset(keys.COUNTERS, "deliveries_swept", self.client.time()[0] * 1000)
        return self.senders.sweep()

    def record(self, number: str) -> dict[str, str]:
        """A delivery's fields."""
        return {name.decode(): value.decode() for name, value in self.client.hgetall(keys.delivery(number)).items()}

    def log(self, number: str) -> list[dict[str, Any]]:
        return [json.loads(entry) for entry in self.client.lrange(keys.delivery_log(number), 0, -1)]

    def of_job(self, number: str) -> list[str]:
        """The numbers of the deliveries that the job's events owe."""
        return sorted(d.decode() for d in self.client.smembers(keys.job_deliveries(number)))

    def feed(self, project: str = "default") -> list[dict[str, Any]]:
        return [json.loads(fields[b"event"]) for _, fields in self.client.xrange(keys.events(project))]

    def slots(self, origin: str = ORIGIN, project: str = "default") -> int:
        return self.client.scard(f"{keys.PREFIX}origin_slots:{project}|{origin}")

    def listed(self, project: str = "default") -> dict[str, set[str]]:
        """The deliveries of the project by class."""
        classes = ("open", "delivered", "dead")
        found = {name: self.client.zrange(keys.project_deliveries(name, project), 0, -1) for name in classes}
        return {name: {d.decode() for d in members} for name, members in found.items() if members}

    def register(self, endpoint: str, *, project: str = "default", origin: str = ORIGIN, **route: Any) -> str:
        """A registered endpoint, enabled, as the scripts see it."""
        values = {"project": project, "url": f"{origin}/hook", "origin": origin, "status": "enabled"}
        self.client.hset(keys.webhook_endpoint(endpoint), mapping=values | {"secrets": '[["sealed-endpoint", 0]]'})
        self.client.hset(
            keys.webhook_routes(project), endpoint, json.dumps({"origin": origin, "include": "id"} | route)
        )
        return endpoint
