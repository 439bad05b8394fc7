"""A lane as it stands: what it allows, what it learned, and why it holds jobs back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import Pipeline

from jobs import keys
from jobs.lanes import account_of, model_of
from jobs.lessons import FASTEST_SECONDS, calm_seconds_of_rate, grown
from jobs.limits import FIELDS, LaneLimits, Limits

UNTIL_RESUMED = "resumed"
SETTLED_SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """A lane at the moment it was read. `state` is open, slowed (it learned less than is set), probing or paused.

    `reason` is what an operator or the upstream gave; `paused_until` is in Unix seconds, and None in the state `paused`
    is until somebody resumes it. `limits` is what is set, `changed` names what was set beyond the limits file;
    the rates (None: unlimited) and `width` are what holds now. `run_seconds` are how long the latest calls held a slot.
    `waiting` counts the jobs that may go there, if LaneStates was asked.
    """

    name: str
    account: str
    model: str
    state: str
    reason: str | None
    paused_until: float | None
    limits: LaneLimits
    changed: tuple[str, ...]
    requests_per_minute: float | None
    tokens_per_minute: float | None
    width: int
    in_flight: int
    requests_last_minute: int
    tokens_last_minute: int
    run_seconds: Sequence[float]
    waiting: int = 0

    @property
    def stopped(self) -> bool:
        """Nothing starts until somebody resumes it."""
        return self.state == "paused" and self.paused_until is None

    @property
    def run_seconds_p50(self) -> float | None:
        return _quantile(self.run_seconds, 0.5)

    @property
    def run_seconds_p90(self) -> float | None:
        return _quantile(self.run_seconds, 0.9)

    def starts_per_second(self, tokens: int) -> float | None:
        """By the rates, for jobs that take about as many tokens as the latest did, or `tokens`; None without a rate."""
        each = self.tokens_last_minute / self.requests_last_minute if self.requests_last_minute > 0 else tokens
        rates = [self.requests_per_minute, self.tokens_per_minute and self.tokens_per_minute / max(1.0, each)]
        known = [rate / 60 for rate in rates if rate]
        return min(known) if known else None


def _quantile(values: Sequence[float], share: float) -> float | None:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else None


class LaneReader:
    def __init__(self, client: redis.Redis, limits: Limits) -> None:
        self._client = client
        self._limits = limits

    def read(self, names: Sequence[str]) -> list[LaneState]:
        """The lanes as they are now, used or not. Raises redis.RedisError."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.time()
            self.ask(pipeline, names)
            (seconds, micros), *answers = pipeline.execute()
        return self.told(names, answers, now=seconds + micros / 1_000_000)

    def ask(self, pipeline: Pipeline, names: Sequence[str]) -> None:
        """Has the pipeline ask for the lanes; `told` makes of the answers what they are."""
        for name in names:
            pipeline.hgetall(keys.lane(name))
            pipeline.hgetall(keys.lane_settings(name))
            pipeline.scard(keys.lane_slots(name))
            pipeline.hgetall(keys.lane_starts(name))
            pipeline.lrange(keys.lane_runs(name), 0, -1)

    def told(self, names: Sequence[str], answers: Sequence[Any], *, now: float) -> list[LaneState]:
        rows = (answers[5 * i : 5 * i + 5] for i in range(len(names)))
        return [self._state(name, row, now) for name, row in zip(names, rows, strict=True)]

    def _state(self, name: str, row: Sequence[Any], now: float) -> LaneState:
        kept, changes, in_flight, starts, runs = row
        kept, changes = _decoded(kept), _decoded(changes)
        limits, changed = _limits(self._limits.limits_of(name), changes)
        lessons = {name: _lesson(kept, name, now) for name in ("requests", "tokens", "width")}
        state, reason, until = _standing(kept, changes, now)
        if state == "open" and _holds_back(limits, lessons):
            state, reason = "slowed", kept.get("pause_reason")
        return LaneState(
            name=name,
            account=account_of(name),
            model=model_of(name),
            state=state,
            reason=reason,
            paused_until=until,
            limits=limits,
            changed=changed,
            requests_per_minute=_lesser(limits.requests_per_minute, lessons["requests"]),
            tokens_per_minute=_lesser(limits.tokens_per_minute, lessons["tokens"]),
            width=math.floor(_lesser(limits.in_flight, lessons["width"]) or 0),
            in_flight=in_flight,
            requests_last_minute=_last_minute(starts, b"requests:", now),
            tokens_last_minute=_last_minute(starts, b"tokens:", now),
            run_seconds=[int(run) / 1000 for run in runs],
        )


def _decoded(values: Mapping[bytes, bytes]) -> dict[str, str]:
    return {name.decode(): value.decode(errors="replace") for name, value in values.items()}


def _limits(limits: LaneLimits, changes: Mapping[str, str]) -> tuple[LaneLimits, tuple[str, ...]]:
    changed = tuple(name for name in FIELDS if name in changes)
    values = {name: float(changes[name]) if name == "ramp_per_second" else int(changes[name]) for name in changed}
    try:
        return limits.changed(values), changed
    except ValueError:
        # The limits file has come to say less than the burst that was set; the dispatcher then takes none.
        return limits.changed(values | {"burst": None}), changed


def _standing(kept: Mapping[str, str], changes: Mapping[str, str], now: float) -> tuple[str, str | None, float | None]:
    """The state, the reason for it, and until when it is paused."""
    stopped = changes.get("paused_until")
    if stopped == UNTIL_RESUMED:
        return "paused", changes.get("pause_reason"), None
    if stopped and int(stopped) > now * 1000:
        return "paused", changes.get("pause_reason"), int(stopped) / 1000
    reason, until = kept.get("pause_reason"), int(kept.get("paused_until", 0)) / 1000
    if "probe" in kept:
        return "probing", reason, until if until > now else None
    if until > now:
        return "paused", reason, until
    return "open", None, None


def _lesson(kept: Mapping[str, str], name: str, now: float) -> float | None:
    """What the lane learned of `requests`, `tokens` or `width`, as far as it has grown back; None if nothing."""
    if f"{name}_learned" not in kept:
        return None
    learned, seconds = float(kept[f"{name}_learned"]), max(0.0, now - int(kept[f"{name}_learned_at"]) / 1000)
    calm = FASTEST_SECONDS if name == "width" else calm_seconds_of_rate(learned)
    return grown(learned, seconds=seconds, calm_seconds=calm)


def _holds_back(limits: LaneLimits, lessons: Mapping[str, float | None]) -> bool:
    """Whether anything that was learned is still less than what is set."""
    set_limits = {
        "requests": limits.requests_per_minute, "tokens": limits.tokens_per_minute, "width": limits.in_flight
    }  # fmt: skip
    return any(lesson is not None and lesson < (set_limits[name] or math.inf) for name, lesson in lessons.items())


def _lesser(limit: float | None, lesson: float | None) -> float | None:
    known = [float(each) for each in (limit, lesson) if each is not None]
    return min(known) if known else None


def _last_minute(starts: Mapping[bytes, bytes], kind: bytes, now: float) -> int:
    first = int(now) - SETTLED_SECONDS
    counted = (int(count) for at, count in starts.items() if at.startswith(kind) and int(at[len(kind) :]) > first)
    return max(0, sum(counted))
