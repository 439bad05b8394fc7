"""A store whose time stands still until a test moves it on, as far as it likes."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache

import pytest
import redis
from redis.client import Pipeline

from jobs import keys, scripts
from jobs.scripts import Script

START = datetime(2030, 1, 15, 12, tzinfo=UTC)
"""In the future of every server, since what expires at a time expires by the server's own."""

_NOW = "test:now_us"
_OWN_TIME = """local clock = redis.call('TIME')
local now_us = tonumber(clock[1]) * 1000000 + tonumber(clock[2])
"""
_ASKED_TIME = f"local now_us = redis.call('GET', '{_NOW}') return {{math.floor(now_us / 1e6), now_us % 1e6}}"
_TEST_TIME = f"local now_us = redis.call('INCR', '{_NOW}')\n"


class Clock:
    """The time of the scripts and of whoever asks the client, or a pipeline, for it; each script runs a microsecond
    after the last."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self.set(START)

    def set(self, moment: datetime) -> None:
        self._client.set(_NOW, round(moment.timestamp() * 1_000_000))

    def forward(self, seconds: float) -> None:
        """Lets time pass in which every worker that lives goes on beating."""
        now = self.milliseconds()
        self._client.incrby(_NOW, round(seconds * 1_000_000))
        for worker in self._client.zrangebyscore(keys.WORKERS, f"({now}", "+inf"):
            self._client.zincrby(keys.WORKERS, seconds * 1000, worker)
            self._client.hincrby(keys.worker(worker.decode()), "beat", round(seconds * 1000))

    def time(self) -> tuple[int, int]:
        """What Redis answers to TIME."""
        seconds, micros = divmod(int(self._client.get(_NOW)), 1_000_000)
        return seconds, micros

    def milliseconds(self) -> float:
        seconds, micros = self.time()
        return seconds * 1000 + micros / 1000

    def seconds(self) -> float:
        return self.milliseconds() / 1000


def stopped_clock(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Puts the clock in place of the server's for what this client runs, until the patch is undone."""
    clock = Clock(client)
    monkeypatch.setattr(client, "time", clock.time)
    monkeypatch.setattr(Pipeline, "time", lambda pipeline: pipeline.eval(_ASKED_TIME, 0), raising=False)
    monkeypatch.setattr(scripts, "script", _timed(scripts.script))
    return clock


def _timed(script: Callable[[str], Script]) -> Callable[[str], Script]:
    @cache
    def timed(name: str) -> Script:
        own = script(name).source
        assert _OWN_TIME in own
        source = own.replace(_OWN_TIME, _TEST_TIME)
        return Script(source=source, digest=hashlib.sha1(source.encode()).hexdigest())

    return timed
