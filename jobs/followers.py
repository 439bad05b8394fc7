"""Following the event logs of jobs: a subscription to the channels of those that somebody follows."""

from __future__ import annotations

import contextlib
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from jobs import keys
from jobs.event_log import EventLog
from jobs.live_log import Following, LiveLog
from jobs.subscription import Subscription

CONFIRM_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class _Channel:
    """The log that is followed; `confirmed` is set once Redis tells us of it."""

    log: LiveLog
    confirmed: threading.Event = field(default_factory=threading.Event)


class Followers(Subscription):
    """Tells following threads that a job's log has grown, that the job began or ended, or that they should look again.

    Only one thread uses the subscription. Whoever begins to follow another job calls it, over a channel of its own.
    """

    told_of = "event logs"

    def __init__(self, client: redis.Redis, event_log: EventLog) -> None:
        super().__init__(client)
        self._event_log = event_log
        self._channels: dict[str, _Channel] = {}
        self._changed: set[str] = set()
        self._own = f"{keys.PREFIX}followers:{secrets.token_hex(8)}"

    @contextmanager
    def followed(self, number: str) -> Iterator[Following]:
        """Whoever follows looks after the entry, and after each wait, so that nothing falls between."""
        channel, following = self._enter(number)
        try:
            if not channel.confirmed.is_set():
                with contextlib.suppress(redis.RedisError):  # with the next subscription it is told
                    self._client.publish(self._own, b"")
                channel.confirmed.wait(CONFIRM_SECONDS)
            following.forget()  # what was told before this moment the caller reads
            yield following
        finally:
            self._leave(number, channel, following)

    def _enter(self, number: str) -> tuple[_Channel, Following]:
        with self._lock:
            channel = self._channels.get(number)
            if channel is None:
                channel = self._channels[number] = _Channel(log=LiveLog(number, self._event_log))
                self._changed.add(number)
            following = Following(channel.log)
            channel.log.followers.add(following)
            self._start()
            return channel, following

    def _leave(self, number: str, channel: _Channel, following: Following) -> None:
        """The subscription ends when there is something else to do to it."""
        with self._lock:
            channel.log.followers.discard(following)
            if not channel.log.followers:
                del self._channels[number]
                self._changed.add(number)

    def _subscribe(self, pubsub: redis.client.PubSub) -> None:
        with self._lock:
            self._changed = set(self._channels)
        pubsub.subscribe(self._own)

    def _hear(self, kind: str, message: Mapping[str, Any]) -> None:
        """Of each subscription that begins, its followers look again."""
        with self._lock:
            channel = self._channels.get(message["channel"].decode().removeprefix(keys.log("")))
            if channel is None:
                return
            if kind == "subscribe":
                channel.log.doubt(time.monotonic())
                channel.confirmed.set()
            else:
                channel.log.hear(message["data"], time.monotonic())

    def _wake_all(self) -> None:
        at = time.monotonic()
        for channel in self._channels.values():
            channel.log.wake(at)

    def _adjust(self, pubsub: redis.client.PubSub) -> None:
        """Begins and ends subscriptions as followers came and left."""
        if not self._changed:
            return
        with self._lock:
            changed, self._changed = self._changed, set()
            begun = [keys.log(number) for number in changed if number in self._channels]
            over = [keys.log(number) for number in changed if number not in self._channels]
        if over:
            pubsub.unsubscribe(*over)
        if begun:
            pubsub.subscribe(*begun)
