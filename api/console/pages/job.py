"""The page of one job, and what can be done to it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import job_view, webhook_view
from api.auth import scope
from api.console import shown_request
from api.console.frames import answer_with
from api.console.job_stream import job_events
from api.console.notes import note
from api.console.pages.files import inline
from api.console.policy import allow_media_from
from api.console.shown_answer import answer_of
from api.console.timeline import TERMINAL, timeline
from api.file_download import attachment
from api.refusal import job_not_found
from api.services import services
from jobs.record import JOB_PREFIX, number_of
from schemas.delivery import OPEN


def register(views: Blueprint) -> None:
    @views.get("/console/jobs/<job_id>")
    def job(job_id: str) -> str:
        number = _number(job_id)
        parts, over = _drawn(number)
        sent = services().store.request(number)
        turns, left_out = shown_request.bounded(shown_request.turns(sent))
        return render_template(
            "console/job.html",
            job_id=job_id,
            parts=parts,
            over=over,
            turns=turns,
            left_out=left_out,
            shown=_shown_origin(sent),
            sent=_settings(sent),
        )

    @views.get("/console/live/jobs/<job_id>")
    def job_live(job_id: str) -> Response:
        number = _number(job_id)
        services().store.get(number, project=scope())
        return answer_with(job_events(number, lambda: _drawn(number)))

    @views.get("/console/jobs/<job_id>/<any(request, response):what>.json")
    def job_json(job_id: str, what: str) -> Response:
        """The whole of what a page shows a part of, to be saved."""
        number = _number(job_id)
        job = services().store.get(number, project=scope())
        answer = jsonify(services().store.request(number) if what == "request" else job_view.response_of(job))
        answer.headers["Content-Disposition"] = attachment(f"{job_id}-{what}.json")
        return answer

    @views.get("/console/jobs/<job_id>/media/<int:index>")
    def job_medium(job_id: str, index: int) -> Response:
        """A medium that the request carries itself."""
        number = _number(job_id)
        services().store.get(number, project=scope())
        carried = (m for m in shown_request.media(services().store.request(number)) if m.number == index and m.data)
        found = next(carried, None)
        if found is None:
            raise job_not_found(job_id)
        return inline(shown_request.decoded(found), media_type=found.media_type)

    @views.post("/console/jobs/<job_id>/cancel")
    def cancel_job(job_id: str) -> AnyResponse:
        cancelled = services().store.cancel(_number(job_id), project=scope())
        note("The job is cancelled." if cancelled.status == "cancelled" else "The job had ended already.")
        return _back(job_id)

    @views.post("/console/jobs/<job_id>/retry")
    def retry_job(job_id: str) -> AnyResponse:
        services().store.retry(_number(job_id), project=scope())
        note("The job is queued once more.")
        return _back(job_id)

    @views.post("/console/jobs/<job_id>/delete")
    def delete_job(job_id: str) -> AnyResponse:
        services().store.delete(_number(job_id), project=scope())
        note(f"{job_id} is forgotten.")
        return redirect(url_for("console.jobs"), 303)


def _drawn(number: str) -> tuple[dict[str, str], bool]:
    """The parts that change, and whether they are to change no more. Raises JobNotFound, StoreUnavailable."""
    kept = services().store.get(number, project=scope())
    job = job_view.dump(kept)
    deliveries = webhook_view.dump_deliveries(services().webhook_deliveries.of_job(number, project=scope()))
    over = job["status"] in TERMINAL and not any(delivery["status"] in OPEN for delivery in deliveries)
    told: dict[str, Any] = {"job": job, "deliveries": deliveries, "answer": answer_of(job["response"])}
    told["steps"] = timeline(job, deliveries)
    told["line"] = kept.line and {
        "batch": services().batch_lines.batch_of(number),
        "line": kept.line,
        "custom_id": kept.custom_id,
    }
    names = ("head", "answer", "timeline", "deliveries", "facts")
    return {f"job-{name}": render_template(f"console/parts/job_{name}.html", **told) for name in names}, over


def _number(job_id: str) -> str:
    number = number_of(job_id, JOB_PREFIX)
    if number is None:
        raise job_not_found(job_id)
    return number


def _shown_origin(sent: dict[str, Any]) -> str | None:
    """The host whose media are asked for by a click, if the request names it."""
    asked = request.args.get("show")
    if asked and asked in {medium.origin for medium in shown_request.media(sent)}:
        allow_media_from(asked)
        return asked
    return None


def _settings(sent: dict[str, Any]) -> str:
    """What is asked for besides the input, as JSON."""
    return shown_request.pretty({name: value for name, value in sent.items() if name != "input"})


def _back(job_id: str) -> AnyResponse:
    return redirect(url_for("console.job", job_id=job_id), 303)
