"""The form that begins a batch: from its fields to the body that POST /v1/batches would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from api.console.asked_form import number
from api.console.job_search import pairs
from schemas.batch import ENDPOINTS

HOUR = 3600
WINDOWS = {HOUR: "an hour", 6 * HOUR: "6 hours", 24 * HOUR: "a day", 72 * HOUR: "3 days", 168 * HOUR: "a week"}
"""Of the choice, in seconds."""

DAY = str(24 * HOUR)


def body_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Raises ValidationError for what cannot be read at all; BatchCreateSchema judges the rest."""
    typed = {name: value.strip() for name, value in form.items()}
    if not typed.get("file_id"):
        raise ValidationError({"file": ["is required: choose one from this computer, or name one that is here"]})
    options: dict[str, Any] = {
        name: number(name, typed[name]) for name in ("priority", "max_attempts") if typed.get(name)
    }
    options["completion_window_seconds"] = number("window", typed.get("window") or DAY)
    if typed.get("webhook"):
        options["webhook"] = {"url": typed["webhook"]}
    body: dict[str, Any] = {"input_file_id": typed["file_id"], "endpoint": ENDPOINTS[0], "respool": options}
    if typed.get("metadata"):
        body["metadata"] = _metadata(typed["metadata"])
    return body


def _metadata(text: str) -> dict[str, str]:
    try:
        return pairs(text)
    except ValueError as error:
        raise ValidationError({"metadata": [str(error)]}) from error
