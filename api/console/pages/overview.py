"""The overview: what happens now and happened lately; and the lanes' pauses."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import lane_view
from api.auth import admins_only, caller, scope
from api.console import figures, live
from api.console.frames import answer_with
from api.console.notes import note
from api.services import services
from jobs.errors import ProjectNotFound

log = logging.getLogger(__name__)


def register(views: Blueprint) -> None:
    @views.get("/")
    def overview() -> str:
        span = _span()
        return render_template("console/overview.html", span=span, spans=figures.SPANS, parts=_parts(span))

    @views.get("/console/live/overview")
    def overview_live() -> Response:
        span = _span()
        return answer_with(live.followed(lambda: _parts(span)))

    @views.post("/console/lanes/<path:lane>/pause")
    @admins_only
    def pause_lane(lane: str) -> AnyResponse:
        reason = request.form.get("reason", "")[:200]
        services().lanes.pause(lane, seconds=None, reason=reason, by=caller().id)
        log.info("lane %r paused until resumed by %s: %r", lane, caller().id, reason)
        note(f"Lane {lane} is paused until somebody resumes it.")
        return redirect(url_for("console.overview"), 303)

    @views.post("/console/lanes/<path:lane>/resume")
    @admins_only
    def resume_lane(lane: str) -> AnyResponse:
        services().lanes.resume(lane, reason="", by=caller().id)
        log.info("lane %r resumed by %s", lane, caller().id)
        note(f"Lane {lane} is resumed.")
        return redirect(url_for("console.overview"), 303)


def _span() -> str:
    asked = request.args.get("span", "hour")
    return asked if asked in figures.SPANS else "hour"


def _parts(span: str) -> dict[str, str]:
    found = figures.points(span)
    lanes = [lane_view.dump(lane) for lane in lane_view.seen(services().lanes.all())]
    workers = services().workers.live()
    return {
        "now": render_template("console/parts/now.html", now=_now(), points=found, workers=workers, span=span),
        "over-time": render_template("console/parts/charts.html", charts=figures.over_time(found, span)),
        "by-day": render_template("console/parts/charts.html", charts=figures.by_day()),
        "lanes": render_template("console/parts/lanes.html", lanes=lanes, gauges=_gauges(lanes)),
        "workers": render_template("console/parts/workers.html", workers=workers),
    }


def _now() -> dict[str, Any]:
    """What waits, runs and was taken, of the caller's project or (for an admin key) of all."""
    own = scope()
    try:
        found = services().projects.all() if own is None else [services().projects.get(own)]
    except ProjectNotFound:
        found = []
    return {
        "queued": sum(project.queued for project in found),
        "in_flight": sum(project.in_flight for project in found),
        "tokens_today": sum(project.tokens_today for project in found),
        "cost_today": sum(project.cost_today for project in found),
    }


def _gauges(lanes: list[dict[str, Any]]) -> dict[str, list[tuple[str, float, float | None]]]:
    """What of each lane is used of what holds now: (what, used, bound)."""
    return {
        lane["id"]: [
            ("requests a minute", lane["requests_last_minute"], lane["now"]["requests_per_minute"]),
            ("tokens a minute", lane["tokens_last_minute"], lane["now"]["tokens_per_minute"]),
            ("in flight", lane["in_flight"], lane["now"]["in_flight"]),
        ]
        for lane in lanes
    }
