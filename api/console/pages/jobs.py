"""The page of jobs: filtered, searched by id, a page at a time, and kept true."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import job_view
from api.auth import scope
from api.console import live
from api.console.frames import answer_with
from api.console.job_search import Search, search
from api.services import services
from jobs.record import JOB_PREFIX, RESPONSE_PREFIX, number_of
from schemas.job import STATUSES

PAGE_JOBS = 25


def register(views: Blueprint) -> None:
    @views.get("/console/jobs")
    def jobs() -> AnyResponse | str:
        if asked := request.args.get("id", "").strip():
            number = number_of(asked) or number_of(asked, RESPONSE_PREFIX) or number_of(JOB_PREFIX + asked)
            if number is not None:
                return redirect(url_for("console.job", job_id=JOB_PREFIX + number), 303)
        wanted = _search()
        return render_template(
            "console/jobs.html",
            search=wanted,
            statuses=STATUSES,
            typed_id=asked,
            parts=_parts(wanted),
            filters=_filters(),
            first="after" not in request.args,
        )

    @views.get("/console/live/jobs")
    def jobs_live() -> Response:
        wanted = _search()
        return answer_with(live.followed(lambda: _parts(wanted)))


def _search() -> Search:
    return search(request.args, request.args.getlist("status"))


def _filters() -> dict[str, list[str]]:
    """The query of this page without its place, for the next page and the stream."""
    known = ("status", "model", "metadata", "since", "until")
    return {name: request.args.getlist(name) for name in known if any(request.args.getlist(name))}


def _parts(wanted: Search) -> dict[str, str]:
    after = number_of(request.args.get("after", ""))
    page = services().listing.page(project=scope(), wanted=wanted.wanted, limit=PAGE_JOBS, after=after)
    following = JOB_PREFIX + page.last if page.has_more and page.last else None
    left_out = [JOB_PREFIX + number for number in page.left_out]
    rows = job_view.dump_all(page.jobs)
    return {
        "jobs": render_template(
            "console/parts/jobs.html",
            jobs=rows,
            left_out=left_out,
            following=following,
            search=wanted,
            filters=_filters(),
        )
    }
