"""The lanes as operators see and steer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import LaneNotFound
from jobs.lane_reader import UNTIL_RESUMED, LaneReader, LaneState
from jobs.lanes import account_of, backlog_of, lane_of, model_of
from jobs.limits import Limits

BY_HAND = "paused by hand"


class LaneStates:
    def __init__(self, client: redis.Redis, limits: Limits) -> None:
        self._client = client
        self._limits = limits
        self._reader = LaneReader(client, limits)

    def all(self) -> list[LaneState]:
        """Those that were used within a day or set, and those that the limits file names, by account and model."""
        named = {
            lane_of(model, account=account.name) for account in self._limits.accounts for model in account.models or ()
        }
        with scripts.translated():
            seconds, _ = self._client.time()
            self._client.zremrangebyscore(keys.LANES, "-inf", (seconds - 86400) * 1000)
            used: list[Any] = self._client.zrange(keys.LANES, 0, -1)
            known = {name.decode() for name in used} | set(self._limits.lanes) | named
            return self._counted(sorted(name for name in known if self._exists(name)))

    def get(self, name: str) -> LaneState:
        """Raises LaneNotFound, StoreUnavailable."""
        if not self._exists(name):
            raise LaneNotFound(name)
        with scripts.translated():
            return self._counted([name])[0]

    def used_by(self, project: str, lanes: Sequence[LaneState]) -> list[LaneState]:
        """Those in which the project has jobs that wait or run. Raises StoreUnavailable."""
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for lane in lanes:
                for backlog in _backlogs(lane.name):
                    pipeline.exists(keys.backlog_jobs(backlog, project))
                pipeline.sinter([keys.lane_slots(lane.name), keys.project_slots(project)])
            answers: list[Any] = pipeline.execute()
        return [lane for i, lane in enumerate(lanes) if any(answers[3 * i : 3 * i + 3])]

    def change(self, name: str, values: Mapping[str, int | float | None], *, reason: str, by: str) -> LaneState:
        """The lane after its limits were changed, for good; None takes one back to what the limits file says.

        Raises LaneNotFound, ValueError if the limits would not fit together, StoreUnavailable.
        """
        lane = self.get(name)
        kept = {field: getattr(lane.limits, field) for field in lane.changed} | dict(values)
        self._limits.limits_of(name).changed(kept)
        told = ", ".join(f"{field} = {'as in the file' if value is None else value}" for field, value in values.items())
        words = [word for field, value in values.items() for word in (field, "" if value is None else value)]
        return self._set(name, f"{told} ({_why(reason, by)})", words)

    def pause(self, name: str, *, seconds: float | None, reason: str, by: str) -> LaneState:
        """Nothing more starts in the lane for so long, or (None) until somebody resumes it; what runs goes on."""
        self.get(name)
        with scripts.translated():
            now, _ = self._client.time()
        until = UNTIL_RESUMED if seconds is None else str(round((now + seconds) * 1000))
        told = "paused until resumed" if seconds is None else f"paused for {seconds:g} s"
        return self._set(
            name, f"{told} ({_why(reason, by)})", ["paused_until", until, "pause_reason", reason or BY_HAND]
        )

    def resume(self, name: str, *, reason: str, by: str) -> LaneState:
        """Ends every pause, also one that the upstream asked for, and the wait for a probe."""
        self.get(name)
        return self._set(name, f"resumed ({_why(reason, by)})", [], way="resume")

    def _set(self, name: str, line: str, words: Sequence[scripts.Argument], *, way: str = "set") -> LaneState:
        scripts.run(self._client, scripts.Call(name="set_lane", args=[name, line, way, *words]))
        return self.get(name)

    def _counted(self, names: Sequence[str]) -> list[LaneState]:
        waiting = self._waiting(names)
        return [replace(state, waiting=waiting[state.name]) for state in self._reader.read(names)]

    def _waiting(self, names: Sequence[str]) -> dict[str, int]:
        """How many jobs wait for each lane, those that wait for its model on any account included."""
        backlogs = sorted({backlog for name in names for backlog in _backlogs(name)})
        with self._client.pipeline(transaction=False) as pipeline:
            for backlog in backlogs:
                pipeline.zrange(keys.backlog_projects(backlog), 0, -1)
                pipeline.zrange(keys.backlog_parked(backlog), 0, -1)
            found: list[Any] = pipeline.execute()
            queues = [
                (backlog, project)
                for i, backlog in enumerate(backlogs)
                for project in {*found[2 * i], *found[2 * i + 1]}
            ]
            for backlog, project in queues:
                pipeline.zcard(keys.backlog_jobs(backlog, project.decode()))
            sizes = pipeline.execute()
        counts = dict.fromkeys(backlogs, 0)
        for (backlog, _), size in zip(queues, sizes, strict=True):
            counts[backlog] += size
        return {name: sum(counts[backlog] for backlog in _backlogs(name)) for name in names}

    def _exists(self, name: str) -> bool:
        model = model_of(name)
        return bool(model) and self._limits.serves(model, account=account_of(name))


def _why(reason: str, by: str) -> str:
    return f"by {by}: {reason}" if reason else f"by {by}"


def _backlogs(lane: str) -> tuple[str, str]:
    return backlog_of(model_of(lane)), lane
