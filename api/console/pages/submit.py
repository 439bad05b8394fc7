"""The form that submits a job, or tells what it would take."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api.console.asked_form import body_of
from api.console.notes import note
from api.forecast import forecast
from api.refusal import Refusal
from api.services import services
from api.store_errors import refusal_of
from api.submission import submit
from jobs.asked import of_job
from jobs.errors import OverLimit, QueueFull
from jobs.record import JOB_PREFIX
from schemas.error import flatten
from schemas.job import JobCreateSchema

PLAIN = {"stream": "on", "kind": "video", "fps": "1"}


def register(views: Blueprint, asked: JobCreateSchema, models: frozenset[str] | None) -> None:
    @views.get("/console/submit")
    def submit_form() -> str:
        return _page({**PLAIN, "model": request.args.get("model", "")})

    @views.post("/console/submit")
    def submit_job() -> AnyResponse | tuple[str, int] | str:
        typed = request.form.to_dict()
        try:
            wanted = of_job(asked.load(body_of(typed)))
            if typed.get("do") == "estimate":
                return _page(typed, estimate=forecast(wanted))
            number = submit(wanted).submitted.number
        except (ValidationError, Refusal, OverLimit, QueueFull) as error:
            return _page(typed, mistakes=_mistakes(error)), 400
        note("The job is accepted.")
        return redirect(url_for("console.job", job_id=JOB_PREFIX + number), 303)

    def _page(
        typed: dict[str, Any], *, mistakes: list[tuple[str, str]] | None = None, estimate: dict[str, Any] | None = None
    ) -> str:
        settings = services().settings
        most = settings.max_file_bytes if services().files is not None else settings.max_body_bytes * 3 // 4 - 4096
        return render_template(
            "console/submit.html",
            typed=typed,
            mistakes=mistakes or [],
            estimate=estimate,
            models=sorted(models) if models is not None else None,
            files_kept=services().files is not None,
            most_bytes=most,
        )


def _mistakes(error: ValidationError | Refusal | OverLimit | QueueFull) -> list[tuple[str, str]]:
    """(where, what is wrong), at least one."""
    if isinstance(error, ValidationError):
        return [(mistake.path, mistake.message) for mistake in flatten(error.messages)]
    refusal: Any = error if isinstance(error, Refusal) else refusal_of(error)
    several = refusal.body.get("errors") or [refusal.body["error"]]
    return [(mistake["param"] or "", mistake["message"]) for mistake in several]
