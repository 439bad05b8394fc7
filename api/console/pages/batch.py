"""The page of one batch: how far it is, its lines, and what can be done to it."""

from __future__ import annotations

import logging
from typing import Any

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from api import batch_view
from api.auth import caller, scope
from api.batch_retry import retry_batch
from api.console import live
from api.console.frames import answer_with
from api.console.notes import note
from api.console.shown_lines import line_shown
from api.file_store import configured
from api.services import services
from jobs.batches.record import Batch
from schemas.job import STATUSES

PAGE_LINES = 50
log = logging.getLogger(__name__)


def register(views: Blueprint) -> None:
    @views.get("/console/batches/<batch_id>")
    def batch(batch_id: str) -> str:
        found = _get(batch_id)
        return render_template(
            "console/batch.html",
            batch_id=found.id,
            parts=_parts(found) | _lines(found),
            status=_status(),
            statuses=STATUSES,
            over=found.ended,
            query={name: value for name in ("status", "after") if (value := request.args.get(name))},
        )

    @views.get("/console/live/batches/<batch_id>")
    def batch_live(batch_id: str) -> Response:
        """Until it has ended. Lines are kept true where that means no search through all of them."""
        _get(batch_id)

        def draw() -> dict[str, str]:
            found = _get(batch_id)
            return _parts(found) | (_lines(found) if _status() is None else {})

        return answer_with(live.followed(draw))

    @views.post("/console/batches/<batch_id>/cancel")
    def cancel_batch(batch_id: str) -> AnyResponse:
        was = _get(batch_id)
        services().batches.cancel(batch_id, project=scope())
        log.info("%s cancelled by %s", batch_id, caller().id)
        note("The batch had ended already." if was.ended else "No more lines are begun; what runs may still end.")
        return redirect(url_for("console.batch", batch_id=batch_id), 303)

    @views.post("/console/batches/<batch_id>/retry")
    def retry_batch_lines(batch_id: str) -> AnyResponse:
        made = retry_batch(_get(batch_id), configured(services().files))
        log.info("%s retried as %s by %s", batch_id, made.batch.id, caller().id)
        note("This batch sends again what failed.")
        return redirect(url_for("console.batch", batch_id=made.batch.id), 303)


def _get(batch_id: str) -> Batch:
    return services().batches.get(batch_id, project=scope())


def _status() -> str | None:
    asked = request.args.get("status")
    return asked if asked in STATUSES else None


def _parts(found: Batch) -> dict[str, str]:
    told: dict[str, Any] = {"batch": batch_view.dump(found), "ended": found.ended}
    names = ("head", "progress", "facts")
    return {f"batch-{name}": render_template(f"console/parts/batch_{name}.html", **told) for name in names}


def _lines(found: Batch) -> dict[str, str]:
    page = services().batch_lines.taken_up(found, after=_after(), limit=PAGE_LINES, status=_status())
    told = render_template(
        "console/parts/batch_lines.html",
        batch_id=found.id,
        lines=[line_shown(line) for line in page.lines],
        following=page.next_after if page.has_more else None,
        status=_status(),
        ended=found.ended,
    )
    return {"batch-lines": told}


def _after() -> int:
    """The number of the line before the page; 0 for what is none."""
    asked = request.args.get("after", "")
    return min(int(asked), 2**31) if asked.isascii() and asked.isdigit() and len(asked) < 20 else 0
