"""What `doctor` sees through the API: whether it answers, whether the key is good, and what keeps jobs waiting."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from respool.client import Api
from respool.errors import CommandError, Refused, Unreachable, understood
from respool.findings import Finding, broken, clock, doubtful, fine
from respool.moments import local
from respool.redis_findings import of_keeping, of_no_sender, of_stalled, of_workers

NEARLY = 0.9
"""Of a budget."""

HEALTHY_SECONDS = 5.0
"""In which what asks for no store should have answered."""

BUDGETS = (
    ("today", "tokens", "tokens_per_day"), ("this_month", "tokens", "tokens_per_month"),
    ("today", "cost", "cost_per_day"), ("this_month", "cost", "cost_per_month"),
)  # fmt: skip

Document = Mapping[str, Any]


def of_service(api: Api, *, sees_redis: bool) -> Iterator[Finding]:
    """`sees_redis`: what Redis itself tells need not be asked for here."""
    try:
        begun = time.time()
        answer = api.session.answer("GET", "/healthz", seconds=HEALTHY_SECONDS)
    except Unreachable as error:
        yield broken("api", error.message, "start it with `respool up`, or correct --url or RESPOOL_URL")
        return
    except Refused as error:
        yield broken("api", error.message, "this is no respool; correct --url or RESPOOL_URL")
        return
    yield fine("api", f"{api.session.target.url} answers in {(time.time() - begun) * 1000:.0f} ms")
    yield from _clock(answer.headers.get("Date"))
    ready = list(_ready(api, sees_redis=sees_redis))
    yield from ready
    if any(found.subject == "ready" and found.level == "fail" for found in ready):
        return  # all else is asked of Redis, too
    yield from _keyed(api, sees_redis=sees_redis)


def _clock(date: str | None) -> Iterator[Finding]:
    """The header counts whole seconds."""
    try:
        told = parsedate_to_datetime(date or "").timestamp() + 0.5
    except ValueError:
        return
    yield clock("api clock", told - time.time())


def _ready(api: Api, *, sees_redis: bool) -> Iterator[Finding]:
    try:
        ready = api.get("/readyz")
    except CommandError as error:
        yield broken("ready", error.message, "see Redis: it is away, still loads, or takes no writes")
        return
    yield fine("ready", "Redis takes writes")
    if not sees_redis:
        yield of_workers(**_counts(ready.get("workers")))
        yield of_keeping(ready.get("persistence"))


def _counts(workers: Any) -> dict[str, int]:
    told = workers if isinstance(workers, Mapping) else {}
    return {name: int(told[name]) if isinstance(told.get(name), int) else 0 for name in ("live", "slots", "jobs")}


def _keyed(api: Api, *, sees_redis: bool) -> Iterator[Finding]:
    """What takes a key."""
    try:
        api.get("/v1/jobs", limit=1)
    except Refused as error:
        advice = "see the service's log"
        if error.http_status == 401:
            advice = "set RESPOOL_API_KEY to a key of this service; `respool keys create` makes one"
        yield broken("key", error.message, advice)
        return
    except Unreachable as error:
        yield broken("key", error.message, "see the service's log")
        return
    yield fine("key", "is valid")
    if not sees_redis:
        yield from _crew(api)
    for path, judge in (
        ("/v1/lanes", of_lanes), ("/v1/projects", of_projects), ("/v1/webhook_endpoints", of_endpoints),
    ):  # fmt: skip
        yield from _judged(api, path, judge)
    yield from _files(api)


def _crew(api: Api) -> Iterator[Finding]:
    """Admins are told of each worker."""
    try:
        found = api.entries("/v1/workers")
        with understood():
            for one in found:
                if one.get("stalled"):
                    yield of_stalled(f"{one['kind']} {one['id']}", host=str(one["host"]), pid=one["pid"])
            if not any(one["kind"] == "sender" for one in found):
                yield of_no_sender()
    except Refused as error:
        if error.http_status not in (403, 404):  # no admin's key; an older release
            yield doubtful("workers", error.message, "see the service's log")
    except Unreachable as error:
        yield doubtful("workers", error.message, "see the service's log")


def _judged(api: Api, path: str, judge: Any) -> Iterator[Finding]:
    try:
        with understood():
            yield from judge(api.entries(path))
    except CommandError as error:
        yield doubtful(path.rpartition("/")[2], error.message, "see the service's log")


def of_lanes(lanes: Sequence[Document]) -> Iterator[Finding]:
    """Whether the endpoint can be reached, as the workers see it."""
    resting = [lane for lane in lanes if lane["state"] in ("paused", "probing")]
    for lane in resting:
        until = f" until {local(lane['paused_until'])}" if lane.get("paused_until") else ""
        yield doubtful(
            f"lane {lane['id']}",
            f"{lane['state']}{until}: {lane.get('reason') or 'no reason was given'}; {lane.get('waiting')} jobs wait",
            "mend key, account or network, then `respool lanes resume`; a lane that is probed comes back by itself",
        )
    for lane in lanes:
        if lane["state"] == "slowed":
            yield fine(f"lane {lane['id']}", f"slowed, since the endpoint refused more: {lane.get('reason')}")
    if lanes and not resting:
        yield fine("lanes", f"{len(lanes)}, none of them paused")


def of_projects(projects: Sequence[Document]) -> Iterator[Finding]:
    """Whether a budget or the room for waiting jobs is nearly used up."""
    short = False
    for project in projects:
        limits = project["limits"]
        used = [(name, project[when][what], limits.get(name)) for when, what, name in BUDGETS]
        used.append(("max_queued", project["queued"], limits.get("max_queued")))
        for name, taken, bound in used:
            if bound and taken >= NEARLY * bound:
                short = True
                yield doubtful(
                    f"limits of {project['id']}",
                    f"{taken:g} of {name} {bound:g} are used",
                    f"wait, or raise it: respool projects set {project['id']} --{name.replace('_', '-')} …",
                )
    if projects and not short:
        yield fine("limits", "no project is near one of its budgets")


def of_endpoints(endpoints: Sequence[Document]) -> Iterator[Finding]:
    for one in endpoints:
        if one["status"] == "disabled" and one.get("disabled_reason") != "by_request":
            told = f"disabled, since it is {one.get('disabled_reason')}"
        elif one["status"] == "enabled" and one.get("failing_since"):
            told = f"has failed since {local(one['failing_since'])}"
        else:
            continue
        yield doubtful(
            f"webhook {one['id']}",
            f"{one['url']} {told}",
            f"mend it, `respool webhooks enable {one['id']}`, then `respool webhooks replay --since …`",
        )


def _files(api: Api) -> Iterator[Finding]:
    try:
        api.get("/v1/files", limit=1)
    except Refused as error:
        if error.code == "files_not_configured":
            yield doubtful("files", "the service keeps none", "set RESPOOL_FILES_FOLDER to upload videos and batches")
        else:
            yield doubtful("files", error.message, "see the service's log")
    except Unreachable as error:
        yield doubtful("files", error.message, "see the service's log")
    else:
        yield fine("files", "are kept")
