"""The sender processes as the store knows them, and what is done about those that die."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.workers import CLAIM_SECONDS, LEASE_SECONDS, SWEEP_SECONDS

SWEEP_DELIVERIES = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class SweptDeliveries:
    """How many deliveries one sweep took back, by cause."""

    recovered: int
    unclaimed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSender:
    """`slots` is what it offers, `deliveries` what it holds; host, pid and started_at (seconds) are its own words.

    `stalled`: it left a release unclaimed and has claimed nothing since; `lease_seconds` is what its lease still runs.
    """

    id: str
    slots: int
    deliveries: int
    stalled: bool
    lease_seconds: float
    host: str
    pid: int
    started_at: float


class Senders:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def beat(self, sender: str, *, slots: int, about: Mapping[str, str | int | float]) -> None:
        """Renews the lease."""
        args: list[scripts.Argument] = [sender, round(LEASE_SECONDS * 1000), slots, json.dumps(about)]
        scripts.run(self._client, scripts.Call(name="beat_sender", args=args))

    def leave(self, sender: str) -> int:
        """Goes for good; the number of deliveries that had to be recovered."""
        call = scripts.Call(name="leave_sender", keys=[keys.DELIVERY_LEADER], args=[sender, SWEEP_DELIVERIES])
        recovered, left = scripts.run(self._client, call)
        return int(recovered) + (self.leave(sender) if left else 0)

    def held_by(self, sender: str) -> set[str]:
        """The numbers of the deliveries that are recorded as released to the sender or made by it."""
        with scripts.translated():
            held: set[Any] = self._client.smembers(keys.sender_deliveries(sender))
        return {number.decode() for number in held}

    def give_back(self, sender: str, numbers: Sequence[str]) -> int:
        """Recovers deliveries that the sender no longer holds; how many."""
        return int(scripts.run(self._client, scripts.Call(name="give_back_deliveries", args=[sender, *numbers])))

    def sweep(self) -> SweptDeliveries | None:
        """One piece of repair, or None if another sender has just swept."""
        milliseconds = [round(1000 * seconds) for seconds in (LEASE_SECONDS, CLAIM_SECONDS)]
        args = [round(SWEEP_SECONDS * 900), SWEEP_DELIVERIES, *milliseconds]
        found = scripts.run(self._client, scripts.Call(name="sweep_deliveries", keys=[keys.DELIVERY_SWEEP], args=args))
        if not found:
            return None
        recovered, unclaimed = (int(number) for number in found)
        return SweptDeliveries(recovered=recovered, unclaimed=unclaimed)

    def live(self) -> list[LiveSender]:
        """The senders whose lease runs, by id. Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
            now = seconds * 1000 + micros / 1000
            found: list[Any] = self._client.zrangebyscore(keys.SENDERS, f"({now}", "+inf", withscores=True)
            leases = sorted((sender.decode(), (until - now) / 1000) for sender, until in found)
            with self._client.pipeline(transaction=False) as pipeline:
                for sender, _ in leases:
                    pipeline.hmget(keys.sender(sender), "slots", "about", "stalled")
                    pipeline.scard(keys.sender_deliveries(sender))
                answers = pipeline.execute()
        rows = zip(leases, answers[::2], answers[1::2], strict=True)
        return [
            LiveSender(
                id=sender,
                slots=int(slots),
                deliveries=held,
                stalled=stalled is not None,
                lease_seconds=lease,
                **json.loads(about),
            )
            for (sender, lease), (slots, about, stalled), held in rows
            if slots is not None
        ]
