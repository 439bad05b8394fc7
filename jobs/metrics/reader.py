"""All metrics as they are now: read from the store, at most once a second in a process."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import StoreUnavailable
from jobs.lane_reader import LaneReader
from jobs.lanes import account_of, model_of
from jobs.limits import Limits
from jobs.metrics import counters, gauges
from jobs.metrics.family import Family, Reading

FAMILIES: Sequence[Family] = (gauges.REDIS_UP, *gauges.FAMILIES, *counters.FAMILIES)
FRESH_SECONDS = 1.0
MOST_EACH = 1000
MOST_PROJECTS = 5000


class MetricsReader:
    """`max_queued_bytes` is what the settings allow. However many ask at a time, one reads."""

    def __init__(self, client: redis.Redis, limits: Limits, *, max_queued_bytes: int) -> None:
        self._client = client
        self._limits = limits
        self._max_queued_bytes = max_queued_bytes
        self._measure = scripts.Call(
            name="measure", keys=[keys.DISPATCHER, keys.DELIVERY_LEADER], args=[MOST_EACH, MOST_PROJECTS]
        )
        self._lock = threading.Lock()
        self._kept: list[Reading] = []
        self._until = 0.0

    def read(self) -> list[Reading]:
        """Where Redis cannot be reached, that alone."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = self._read()
                self._until = time.monotonic() + FRESH_SECONDS
            return self._kept

    def _read(self) -> list[Reading]:
        try:
            with scripts.translated():
                return [gauges.single(gauges.REDIS_UP, 1.0), *self._read_store()]
        except StoreUnavailable:
            return [gauges.single(gauges.REDIS_UP, 0.0)]

    def _read_store(self) -> list[Reading]:
        measured = scripts.run(self._client, self._measure)
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.hgetall(keys.METRICS)
            pipeline.hgetall(keys.COUNTERS)
            pipeline.smembers(keys.METRIC_LANES)
            pipeline.info("memory")
            counted, kept, told, memory = pipeline.execute(raise_on_error=False)
        for answer in (counted, kept, told):
            if isinstance(answer, redis.RedisError):
                raise answer
        names = frozenset(name.decode(errors="replace") for name in told)
        lanes = sorted(name for name in names if self._limits.serves(model_of(name), account=account_of(name)))
        return [
            *gauges.read_measured(measured, told=names),
            *gauges.read_lanes(LaneReader(self._client, self._limits).read(lanes)),
            *self._bytes(kept, memory),
            *counters.read_counters(counted, kept),
        ]

    def _bytes(self, kept: Mapping[bytes, bytes], memory: Any) -> list[Reading]:
        found = [
            gauges.single(gauges.QUEUED_BYTES, float(kept.get(b"queued_bytes", 0))),
            gauges.single(gauges.MAX_QUEUED_BYTES, float(self._max_queued_bytes)),
        ]
        if isinstance(memory, redis.RedisError):  # whoever runs this Redis does not tell
            return found
        return [
            *found,
            gauges.single(gauges.REDIS_MEMORY, float(memory["used_memory"])),
            gauges.single(gauges.REDIS_MAX_MEMORY, float(memory.get("maxmemory", 0))),
        ]
