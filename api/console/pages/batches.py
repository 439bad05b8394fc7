"""The page of batches: those that there are, and a form that begins one."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from marshmallow import ValidationError
from werkzeug.wrappers import Response as AnyResponse

from api import batch_view
from api.auth import scope
from api.batch_creation import create_batch
from api.console import live
from api.console.batch_form import WINDOWS, body_of
from api.console.frames import answer_with
from api.console.notes import note
from api.file_store import configured
from api.refusal import Refusal
from api.services import services
from jobs.batches.record import BATCH_PREFIX
from jobs.record import number_of
from schemas.batch import BatchCreateSchema
from schemas.error import flatten

PAGE_BATCHES = 25


def register(views: Blueprint, asked: type[BatchCreateSchema]) -> None:
    @views.get("/console/batches")
    def batches() -> str:
        return _page({})

    @views.get("/console/live/batches")
    def batches_live() -> Response:
        return answer_with(live.followed(_parts))

    @views.post("/console/batches")
    def create_batch_form() -> AnyResponse | tuple[str, int]:
        store, typed = configured(services().files), request.form.to_dict()
        try:
            made = create_batch(asked().load(body_of(typed)), store)
        except ValidationError as error:
            return _page(typed, [(mistake.path, mistake.message) for mistake in flatten(error.messages)]), 400
        except Refusal as error:
            return _page(typed, [("", str(error))]), error.status
        note("The batch is accepted.")
        return redirect(url_for("console.batch", batch_id=made.batch.id), 303)


def _page(typed: dict[str, str], mistakes: list[tuple[str, str]] | None = None) -> str:
    kept = services().files is not None
    return render_template(
        "console/batches.html",
        kept=kept,
        parts=_parts() if kept else {},
        typed=typed,
        mistakes=mistakes or [],
        windows=WINDOWS,
        first="after" not in request.args,
        most_bytes=services().settings.max_file_bytes,
    )


def _parts() -> dict[str, str]:
    after = request.args.get("after")
    known = after if after and number_of(after, BATCH_PREFIX) else None
    page = services().batches.page(project=scope(), limit=PAGE_BATCHES, after=known)
    rows: list[dict[str, Any]] = [batch_view.dump(batch) for batch in page.batches]
    following = rows[-1]["id"] if page.has_more and rows else None
    return {"batches": render_template("console/parts/batches.html", batches=rows, following=following)}
