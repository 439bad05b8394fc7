"""What a queued job waits for: its place, when it may start, and what holds it up."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import redis
from redis.client import Pipeline

from jobs import keys, scripts
from jobs.accepted import Accepted
from jobs.backlogs import Backlog, read_backlog
from jobs.errors import StoreUnavailable
from jobs.eta import Eta, estimate_start
from jobs.limits import Limits
from jobs.looks import Looks
from jobs.record import Job, Stage
from jobs.standing import Standing, ask_standing, read_standing
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


class WaitingRoom:
    def __init__(self, client: redis.Redis, limits: Limits, *, ageing_seconds: float = 60.0) -> None:
        self._client = client
        self._limits = limits
        self._ageing_us = round(ageing_seconds * 1_000_000)
        self._looks = Looks()

    def of(self, jobs: Iterable[Job]) -> dict[str, Waiting]:
        """By job number. Raises StoreUnavailable."""
        found = list(jobs)
        outcomes = {job.number: Waiting() for job in found}
        queued = [job for job in found if job.stage in (Stage.WAITING, Stage.DELAYED)]
        if not queued:
            return outcomes
        places, standings = self._read(queued)
        backlogs = self._backlogs({place.backlog for place in places})
        for job, place in zip(queued, places, strict=True):
            waiting = _waiting(place, backlogs[place.backlog], standings[place.project])
            reason = (job.reason or RETRY_AT) if job.stage is Stage.DELAYED else waiting.reason
            outcomes[job.number] = replace(waiting, reason=reason)
        return outcomes

    def of_accepted(
        self, job: Job, found: Accepted, *, seen_seconds: float = 0.0, meanwhile_seconds: float = 0.0
    ) -> Waiting:
        """Of one that was just submitted, from what its submit found. The rest may have been seen `seen_seconds` ago,
        or, while it is looked at anew, `meanwhile_seconds`. Raises StoreUnavailable.
        """
        place = Place(backlog=job.backlog, project=job.project, before=found.before, tokens=job.tokens)
        backlogs = self._backlogs([job.backlog], seen_seconds, meanwhile_seconds)
        return _waiting(place, backlogs[job.backlog], found.standing)

    def of_new(self, *, backlog: str, project: str, priority: int, tokens: int) -> Waiting:
        """As if the job were submitted now. Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
            order = seconds * 1_000_000 + micros - priority * self._ageing_us
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.zcount(keys.backlog_jobs(backlog, project), "-inf", order)
                ask_standing(pipeline, project)
                before, *standing = pipeline.execute()
        place = Place(backlog=backlog, project=project, before=before, tokens=tokens)
        return _waiting(place, self._backlogs([backlog])[backlog], read_standing(*standing))

    def _read(self, jobs: Sequence[Job]) -> tuple[list[Place], dict[str, Standing]]:
        """Where each of the jobs stands, and how each of their projects does."""
        projects = sorted({job.project for job in jobs})
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.time()
            for job in jobs:
                _ask_rank(pipeline, job)
            for project in projects:
                ask_standing(pipeline, project)
            (seconds, micros), *answers = pipeline.execute()
        now, ranks, of_projects = seconds + micros / 1_000_000, answers[: len(jobs)], answers[len(jobs) :]
        standings = map(read_standing, of_projects[::2], of_projects[1::2])
        places = [_place(job, rank, now) for job, rank in zip(jobs, ranks, strict=True)]
        return places, dict(zip(projects, standings, strict=True))

    def _backlogs(
        self, names: Collection[str], seen_seconds: float = 0.0, meanwhile_seconds: float = 0.0
    ) -> dict[str, Backlog]:
        """Who asks at the same time as others shares their look."""
        now = time.monotonic()
        try:
            return self._looked(names, since=now - seen_seconds, meanwhile=now - meanwhile_seconds)
        except StoreUnavailable:
            # Redis may have been away for that look, and have come back.
            return self._looked(names, since=now, meanwhile=now)

    def _looked(self, names: Collection[str], *, since: float, meanwhile: float) -> dict[str, Backlog]:
        return {
            name: self._looks.look(name, partial(self._backlog, name), since=since, meanwhile=meanwhile)
            for name in names
        }

    def _backlog(self, name: str) -> Backlog:
        with scripts.translated():
            return read_backlog(self._client, self._limits, name)


def _ask_rank(pipeline: Pipeline, job: Job) -> None:
    """One that is delayed has the place that it will take."""
    queue = keys.backlog_jobs(job.backlog, job.project)
    if job.stage is Stage.WAITING:
        pipeline.zrank(queue, job.number)
    else:
        pipeline.zcount(queue, "-inf", f"({job.order}")


def _place(job: Job, rank: int | None, now: float) -> Place:
    return Place(
        backlog=job.backlog,
        project=job.project,
        before=rank or 0,
        tokens=job.tokens,
        due_in_seconds=max(0.0, (job.due_at or 0.0) - now),
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
