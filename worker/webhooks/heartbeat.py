"""Tells that this sender lives, and gives back deliveries that no thread holds any more."""

from __future__ import annotations

from jobs.webhooks.deliveries import DeliveryClaim
from jobs.webhooks.senders import Senders
from worker.crew import Crew
from worker.heartbeat import BEAT_SECONDS, about_this_process
from worker.missing import Missing


class SenderHeartbeat:
    def __init__(self, senders: Senders, crew: Crew[DeliveryClaim], *, sender: str) -> None:
        self._senders = senders
        self._crew = crew
        self._sender = sender
        self._about = about_this_process()
        self._missing = Missing(senders, crew, process_id=sender)

    def step(self) -> float:
        self._senders.beat(self._sender, slots=self._crew.open_slots, about=self._about)
        self._missing.beat()
        return BEAT_SECONDS
