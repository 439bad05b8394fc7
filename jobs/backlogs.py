"""What a backlog looks like to those that wait in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.client import Pipeline

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


def read_backlog(client: redis.Redis, limits: Limits, name: str) -> Backlog:
    """The backlog as it is now, in two round trips. Raises redis.RedisError."""
    reader = LaneReader(client, limits)
    lanes = [lane_of(model_of(name), account=each) for each in _accounts(limits, name)]
    with client.pipeline(transaction=False) as pipeline:
        pipeline.time()
        pipeline.zrange(keys.WORKERS, 0, -1, withscores=True)
        pipeline.hmget(keys.backlog(name), "service", "blocked")
        pipeline.zrange(keys.backlog_projects(name), 0, MOST_PROJECTS - 1, withscores=True)
        pipeline.zcard(keys.backlog_projects(name))
        reader.ask(pipeline, lanes)
        (seconds, micros), leases, (service, blocked), waiting, count, *of_lanes = pipeline.execute()
        now = seconds + micros / 1_000_000
        live = [worker.decode() for worker, until in leases if until > round(now * 1000)]
        projects = {project.decode(): received for project, received in waiting}
        _ask_slots(pipeline, live)
        _ask_shares(pipeline, name, projects)
        answers = pipeline.execute()
    of_workers, of_projects = answers[: 2 * len(live)], answers[2 * len(live) :]
    return Backlog(
        name=name,
        blocked=(blocked or b"").decode(),
        service=float(service or 0),
        shares=_shares(projects, of_projects),
        unseen=count - len(projects),
        lanes=reader.told(lanes, of_lanes, now=now),
        workers=len(live),
        free_slots=_free_slots(of_workers),
        now=now,
    )


def _accounts(limits: Limits, backlog: str) -> list[str]:
    account, model = account_of(backlog), model_of(backlog)
    return [name for name in limits.account_names if account in (ANY, name) and limits.serves(model, account=name)]


def _ask_slots(pipeline: Pipeline, workers: Iterable[str]) -> None:
    for worker in workers:
        pipeline.hget(keys.worker(worker), "slots")
        pipeline.scard(keys.worker_jobs(worker))


def _free_slots(answers: Sequence[Any]) -> int:
    pairs = zip(answers[::2], answers[1::2], strict=True)
    return sum(max(0, int(slots or 0) - held) for slots, held in pairs)


def _ask_shares(pipeline: Pipeline, backlog: str, projects: Iterable[str]) -> None:
    for project in projects:
        pipeline.zcard(keys.backlog_jobs(backlog, project))
        pipeline.hget(keys.project(project), "weight")


def _shares(projects: Mapping[str, float], answers: Sequence[Any]) -> dict[str, Share]:
    """By project; `projects` are what each received."""
    rows = zip(projects.items(), answers[::2], answers[1::2], strict=True)
    return {
        project: Share(service=received, weight=float(weight or 1), waiting=waiting)
        for (project, received), waiting, weight in rows
    }
