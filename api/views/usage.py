"""/v1/usage: what was used, by day, model and key."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from flask import Response, jsonify, request
from flask_smorest import Blueprint

from api.auth import authenticate, scope
from api.openapi import StrictBlueprint
from api.queries import UsageQuery
from api.refusal import Refusal
from api.services import services
from api.usage_csv import usage_csv
from jobs.prices import amount
from jobs.usage import MOST_DAYS, UsageRow
from schemas.usage import UsageListSchema

DEFAULT_DAYS = 30
COUNTS = (
    "completed", "failed", "incomplete", "cancelled",
    "input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens", "total_tokens",
)  # fmt: skip
COLUMNS = ("day", "project", "model", "api_key", *COUNTS, "cost", "currency")
AS_CSV = {200: {"content": {"text/csv": {"schema": {"type": "string", "description": ", ".join(COLUMNS)}}}}}


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("usage", __name__, url_prefix="/v1/usage", description="Tokens and jobs by day")
    views.before_request(authenticate)

    @views.route("", methods=["GET"])
    @views.arguments(UsageQuery, location="query")
    @views.response(200, UsageListSchema)
    @views.doc(responses=AS_CSV)
    def index(query: dict[str, Any]) -> Response:
        """List usage by day, model and API key, newest day first; as CSV if `Accept` or `format` ask for it."""
        rows = [_dump(row) for row in _rows(query)]
        answer = _table(rows) if _wants_csv(query) else jsonify(object="list", data=rows)
        answer.vary.add("Accept")
        return answer

    return views


def _wants_csv(query: dict[str, Any]) -> bool:
    preferred = request.accept_mimetypes.best_match(["application/json", "text/csv"])
    return bool(query["format"] == "csv" if "format" in query else preferred == "text/csv")


def _table(rows: list[dict[str, Any]]) -> Response:
    answer = Response(usage_csv(rows, COLUMNS), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = 'attachment; filename="usage.csv"'
    return answer


def _rows(query: dict[str, Any]) -> list[UsageRow]:
    last = query.get("until") or services().usage.today()
    first = query.get("since") or _days_before(last, DEFAULT_DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        message = f"from must not lie after to, nor {MOST_DAYS} days or more before it."
        raise Refusal(400, message, param="from", code="invalid_value")
    rows = services().usage.rows(project=scope(), first=first, last=last)
    return [row for row in rows if _asked(row, query)]


def _days_before(day: date, days: int) -> date:
    return day - min(timedelta(days=days), day - date.min)


def _asked(row: UsageRow, query: dict[str, Any]) -> bool:
    return all(query.get(name, value) == value for name, value in (("model", row.model), ("api_key", row.api_key)))


def _dump(row: UsageRow) -> dict[str, Any]:
    counts = {name: row.counts.get(name, 0) for name in COUNTS}
    return {
        "day": row.day.isoformat(),
        "project": row.project,
        "model": row.model,
        "api_key": row.api_key,
        **counts,
        "cost": amount(row.counts.get("cost_nano", 0)),
        "currency": services().limits.currency,
    }
