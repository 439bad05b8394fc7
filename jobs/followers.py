"""Following the event logs of jobs: a subscription to the channels of those that somebody follows."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import redis

from jobs import keys
from jobs.subscription import Subscription, waiting

CONFIRM_SECONDS = 2.0


@dataclass(slots=True, kw_only=True)
class _Channel:
    """Who follows one job; `confirmed` is set once Redis tells us of it."""

    followers: set[threading.Event] = field(default_factory=set)
    confirmed: threading.Event = field(default_factory=threading.Event)


class Followers(Subscription):
    """Tells following threads that a job's log has grown, that the job began or ended, or that they should look again.

    Only one thread uses the subscription. Whoever begins to follow another job calls it, over a channel of its own.
    """

    told_of = "event logs"

    def __init__(self, client: redis.Redis) -> None:
        super().__init__(client)
        self._channels: dict[str, _Channel] = {}
        self._changed: set[str] = set()
        self._own = f"{keys.PREFIX}followers:{secrets.token_hex(8)}"

    @contextmanager
    def followed(self, number: str) -> Iterator[Callable[[float], bool]]:
        """Inside, `wait(seconds)` returns True as soon as it is worth looking again, or False when time is up.

        The caller looks after the entry, and after each wait, so that nothing falls between.
        """
        told = threading.Event()
        channel = self._enter(number, told)
        try:
            if not channel.confirmed.is_set():
                with contextlib.suppress(redis.RedisError):  # with the next subscription it is told
                    self._client.publish(self._own, b"")
                channel.confirmed.wait(CONFIRM_SECONDS)
            told.clear()  # what was told before this moment the caller reads
            yield waiting(told)
        finally:
            self._leave(number, channel, told)

    def _enter(self, number: str, told: threading.Event) -> _Channel:
        with self._lock:
            channel = self._channels.get(number)
            if channel is None:
                channel = self._channels[number] = _Channel()
                self._changed.add(number)
            channel.followers.add(told)
            self._start()
            return channel

    def _leave(self, number: str, channel: _Channel, told: threading.Event) -> None:
        """The subscription ends when there is something else to do to it."""
        with self._lock:
            channel.followers.discard(told)
            if not channel.followers:
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
                channel.confirmed.set()
            for told in channel.followers:
                told.set()

    def _wake_all(self) -> None:
        for channel in self._channels.values():
            for told in channel.followers:
                told.set()

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
