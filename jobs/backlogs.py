"""What a backlog looks like to those that wait in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys
from jobs.eta import Outlook
from jobs.lane_reader import LaneReader, LaneState
from jobs.lanes import ANY, account_of, lane_of, model_of
from jobs.limits import Limits
from jobs.turns import Share

MOST_PROJECTS = 50
"""As many are looked at one by one; the rest are taken to be like them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """`blocked` is why the dispatcher last passed over it; `workers` is how many worker processes live."""

    name: str
    blocked: str
    service: float
    shares: dict[str, Share]
    unseen: int
    lanes: Sequence[LaneState]
    workers: int
    free_slots: int
    now: float

    def outlook(self, *, tokens: int) -> Outlook | None:
        """For a job of so many tokens; None while nothing can start until somebody acts."""
        open_lanes = [lane for lane in self.lanes if not lane.stopped]
        if not open_lanes or not self.workers:
            return None
        busy = sum(lane.in_flight for lane in open_lanes)
        opens = [max(0.0, (lane.paused_until or 0.0) - self.now) for lane in open_lanes]
        rates = [rate for lane in open_lanes if (rate := lane.starts_per_second(tokens)) is not None]
        return Outlook(
            slots=min(sum(max(lane.width, lane.in_flight) for lane in open_lanes), busy + self.free_slots),
            busy=busy,
            starts_per_second=sum(rates) if len(rates) == len(open_lanes) else None,
            opens_in_seconds=min(opens),
            run_seconds=[seconds for lane in open_lanes for seconds in lane.run_seconds],
        )

    def share_of(self, project: str, *, weight: float) -> Share:
        """The project's, also if it does not wait here yet: then it would start level with the one served last."""
        return self.shares.get(project) or Share(service=self.service, weight=weight, waiting=0)

    def others(self, project: str) -> list[Share]:
        found = [share for name, share in self.shares.items() if name != project]
        like = [found[i % len(found)] for i in range(self.unseen)] if found else []
        return found + like


def read_backlogs(client: redis.Redis, limits: Limits, names: Sequence[str]) -> dict[str, Backlog]:
    """The backlogs, by name. Raises redis.RedisError."""
    seconds, micros = client.time()
    now = seconds + micros / 1_000_000
    reader = LaneReader(client, limits)
    workers, free = _slots(client, now)
    found = {}
    for name in names:
        service, blocked, shares, unseen = _shares(client, name)
        found[name] = Backlog(
            name=name,
            blocked=blocked,
            service=service,
            shares=shares,
            unseen=unseen,
            lanes=reader.read([lane_of(model_of(name), account=each) for each in _accounts(limits, name)]),
            workers=workers,
            free_slots=free,
            now=now,
        )
    return found


def _accounts(limits: Limits, backlog: str) -> list[str]:
    account, model = account_of(backlog), model_of(backlog)
    return [name for name in limits.account_names if account in (ANY, name) and limits.serves(model, account=name)]


def _slots(client: redis.Redis, now: float) -> tuple[int, int]:
    """How many worker processes live, and how many slots they have free."""
    live: list[Any] = client.zrangebyscore(keys.WORKERS, f"({round(now * 1000)}", "+inf")
    with client.pipeline(transaction=False) as pipeline:
        for worker in live:
            pipeline.hget(keys.worker(worker.decode()), "slots")
            pipeline.scard(keys.worker_jobs(worker.decode()))
        answers: list[Any] = pipeline.execute()
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return len(live), sum(max(0, int(slots or 0) - held) for slots, held in pairs)


def _shares(client: redis.Redis, backlog: str) -> tuple[float, str, dict[str, Share], int]:
    with client.pipeline(transaction=False) as pipeline:
        pipeline.hmget(keys.backlog(backlog), "service", "blocked")
        pipeline.zrange(keys.backlog_projects(backlog), 0, MOST_PROJECTS - 1, withscores=True)
        pipeline.zcard(keys.backlog_projects(backlog))
        (service, blocked), projects, count = pipeline.execute()
        for project, _ in projects:
            pipeline.zcard(keys.backlog_jobs(backlog, project.decode()))
            pipeline.hget(keys.project(project.decode()), "weight")
        answers = pipeline.execute()
    shares = {
        project.decode(): Share(service=received, weight=float(answers[2 * i + 1] or 1), waiting=answers[2 * i])
        for i, (project, received) in enumerate(projects)
    }
    return float(service or 0), (blocked or b"").decode(), shares, count - len(projects)
