"""What a queued job waits for: its place, when it may start, and what holds it up."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import redis

from jobs import keys, scripts
from jobs.backlogs import Backlog, read_backlogs
from jobs.eta import Eta, estimate_start
from jobs.limits import Limits
from jobs.record import Job, Stage
from jobs.turns import jobs_ahead

NO_WORKER = "no_worker"
RETRY_AT = "retry_at"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """`position` is the place in the project's own queue of the backlog, 1 is next; `ahead` is about how many jobs of
    all projects go before. `reason` is None where the turn simply has not come. All are None for one that does not wait
    (any more).
    """

    reason: str | None = None
    position: int | None = None
    ahead: int | None = None
    eta: Eta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a job stands, or would: before it are `before` of its project's; not before `due_in_seconds`."""

    backlog: str
    project: str
    before: int
    tokens: int
    due_in_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What of a project bears upon its jobs: why none may start (parked), and its own bound of calls in flight."""

    blocked: str
    weight: float
    max_in_flight: int | None
    in_flight: int


class WaitingRoom:
    def __init__(self, client: redis.Redis, limits: Limits, *, ageing_seconds: float = 60.0) -> None:
        self._client = client
        self._limits = limits
        self._ageing_us = round(ageing_seconds * 1_000_000)

    def of(self, jobs: Iterable[Job]) -> dict[str, Waiting]:
        """By job number. Raises StoreUnavailable."""
        found = list(jobs)
        queued = [job for job in found if job.stage in (Stage.WAITING, Stage.DELAYED)]
        outcomes = {job.number: Waiting() for job in found}
        with scripts.translated():
            places = self._places(queued)
            seen = self._seen(places)
        for job, place in zip(queued, places, strict=True):
            waiting = _waiting(place, *seen[place.backlog, place.project])
            reason = (job.reason or RETRY_AT) if job.stage is Stage.DELAYED else waiting.reason
            outcomes[job.number] = replace(waiting, reason=reason)
        return outcomes

    def of_new(self, *, backlog: str, project: str, priority: int, tokens: int) -> Waiting:
        """As if the job were submitted now. Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
            order = seconds * 1_000_000 + micros - priority * self._ageing_us
            before: Any = self._client.zcount(keys.backlog_jobs(backlog, project), "-inf", order)
            place = Place(backlog=backlog, project=project, before=before, tokens=tokens)
            return _waiting(place, *self._seen([place])[backlog, project])

    def _places(self, jobs: Sequence[Job]) -> list[Place]:
        seconds, micros = self._client.time()
        with self._client.pipeline(transaction=False) as pipeline:
            for job in jobs:
                queue = keys.backlog_jobs(job.backlog, job.project)
                if job.stage is Stage.WAITING:
                    pipeline.zrank(queue, job.number)
                else:
                    pipeline.zcount(queue, "-inf", f"({job.order}")
            ranks: list[Any] = pipeline.execute()
        now = seconds + micros / 1_000_000
        return [
            Place(
                backlog=job.backlog,
                project=job.project,
                before=rank or 0,
                tokens=job.tokens,
                due_in_seconds=max(0.0, (job.due_at or 0.0) - now),
            )
            for job, rank in zip(jobs, ranks, strict=True)
        ]

    def _seen(self, places: Sequence[Place]) -> dict[tuple[str, str], tuple[Backlog, Standing]]:
        backlogs = read_backlogs(self._client, self._limits, sorted({place.backlog for place in places}))
        pairs = sorted({(place.backlog, place.project) for place in places})
        with self._client.pipeline(transaction=False) as pipeline:
            for _, project in pairs:
                pipeline.hmget(keys.project(project), "blocked", "weight", "max_in_flight")
                pipeline.scard(keys.project_slots(project))
            answers: list[Any] = pipeline.execute()
        standings = map(_standing, answers[::2], answers[1::2])
        return {pair: (backlogs[pair[0]], standing) for pair, standing in zip(pairs, standings, strict=True)}


def _standing(values: Sequence[bytes | None], in_flight: int) -> Standing:
    blocked, weight, most = values
    return Standing(
        blocked=(blocked or b"").decode(),
        weight=float(weight or 1),
        max_in_flight=int(most) if most else None,
        in_flight=in_flight,
    )


def _waiting(place: Place, backlog: Backlog, project: Standing) -> Waiting:
    share = backlog.share_of(place.project, weight=project.weight)
    ahead = jobs_ahead(share, place.before + 1, backlog.others(place.project))
    return Waiting(
        reason=_reason(backlog, project),
        position=place.before + 1,
        ahead=ahead.likely,
        eta=_eta(place, backlog, project, ahead.likely, ahead.at_most),
    )


def _reason(backlog: Backlog, project: Standing) -> str | None:
    if not backlog.workers:
        return NO_WORKER
    return project.blocked or backlog.blocked or None


def _eta(place: Place, backlog: Backlog, project: Standing, ahead: int, at_most: int) -> Eta | None:
    outlook = backlog.outlook(tokens=place.tokens)
    if outlook is None or project.blocked == "budget":
        return None
    outlook = replace(outlook, opens_in_seconds=max(outlook.opens_in_seconds, place.due_in_seconds))
    of_all = estimate_start(outlook, ahead=ahead, ahead_at_most=at_most)
    if of_all is None or project.max_in_flight is None:
        return of_all
    # The project's own bound holds besides: as if its jobs had a lane of that width.
    own = replace(outlook, slots=min(outlook.slots, project.max_in_flight), busy=project.in_flight)
    of_own = estimate_start(own, ahead=place.before, ahead_at_most=place.before)
    return of_own and Eta(
        p50_seconds=max(of_all.p50_seconds, of_own.p50_seconds), p90_seconds=max(of_all.p90_seconds, of_own.p90_seconds)
    )
