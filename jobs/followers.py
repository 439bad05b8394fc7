"""Following the event logs of jobs: one subscription a process, to the channels of those that somebody follows."""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import redis

from jobs import keys

CONFIRM_SECONDS = 2.0
PAUSE_SECONDS = 0.5

log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class _Channel:
    """Who follows one job; `confirmed` is set once Redis tells us of it."""

    followers: set[threading.Event] = field(default_factory=set)
    confirmed: threading.Event = field(default_factory=threading.Event)


class Followers:
    """Tells following threads that a job's log has grown, that the job began or ended, or that they should look again.

    Only one thread uses the subscription. Whoever begins to follow another job calls it, over a channel of its own.
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._channels: dict[str, _Channel] = {}
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._own = f"{keys.PREFIX}followers:{secrets.token_hex(8)}"
        self._started = self._subscribed = False
        self.closed = False
        """Whether whoever follows is to end."""

    def close(self) -> None:
        """Wakes all who follow: the process is to stop."""
        self.closed = True
        with self._lock:
            for channel in self._channels.values():
                for told in channel.followers:
                    told.set()

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

            def wait(seconds: float) -> bool:
                came = told.wait(seconds)
                told.clear()
                return came

            yield wait
        finally:
            self._leave(number, channel, told)

    def _enter(self, number: str, told: threading.Event) -> _Channel:
        with self._lock:
            channel = self._channels.get(number)
            if channel is None:
                channel = self._channels[number] = _Channel()
                self._changed.add(number)
            channel.followers.add(told)
            if not self._started:
                self._started = True
                threading.Thread(target=self._listen, name="followers", daemon=True).start()
            return channel

    def _leave(self, number: str, channel: _Channel, told: threading.Event) -> None:
        """The subscription ends when there is something else to do to it."""
        with self._lock:
            channel.followers.discard(told)
            if not channel.followers:
                del self._channels[number]
                self._changed.add(number)

    def _listen(self) -> None:
        pause = threading.Event()
        while not self.closed:
            try:
                self._follow()
            except redis.RedisError as error:
                if self._subscribed:
                    log.warning("the subscription to event logs was lost (%s); subscribing again", error)
            except Exception:
                # Were this thread to end, nobody in the process would hear of an event again, and nobody would know.
                log.exception("the subscription to event logs failed; subscribing again")
            self._subscribed = False
            pause.wait(PAUSE_SECONDS)

    def _follow(self) -> None:
        """Subscribes and passes on what is told; of each subscription that begins, its followers look again."""
        with self._client.pubsub() as subscription:
            with self._lock:
                self._changed = set(self._channels)
            subscription.subscribe(self._own)
            while True:
                message = subscription.get_message(timeout=30)
                if message is None:
                    subscription.ping()
                else:
                    self._subscribed = True
                    self._tell(message["type"], message["channel"])
                self._adjust(subscription)

    def _tell(self, kind: str, channel_name: bytes | None) -> None:
        if kind not in ("subscribe", "message") or channel_name is None:
            return
        with self._lock:
            channel = self._channels.get(channel_name.decode().removeprefix(keys.log("")))
            if channel is None:
                return
            if kind == "subscribe":
                channel.confirmed.set()
            for told in channel.followers:
                told.set()

    def _adjust(self, subscription: redis.client.PubSub) -> None:
        """Begins and ends subscriptions as followers came and left."""
        if not self._changed:
            return
        with self._lock:
            changed, self._changed = self._changed, set()
            begun = [keys.log(number) for number in changed if number in self._channels]
            over = [keys.log(number) for number in changed if number not in self._channels]
        if over:
            subscription.unsubscribe(*over)
        if begun:
            subscription.subscribe(*begun)
