"""The form that submits a job: from its fields to the body that POST /v1/jobs would take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from api.console.job_search import pairs
from schemas import strict_json
from schemas.error import InvalidJson

KINDS = {"image": "image_url", "video": "video_url", "audio": "audio_url", "file": "file_url"}


def body_of(form: Mapping[str, str]) -> dict[str, Any]:
    """Raises ValidationError for what cannot be read at all; JobCreateSchema judges the rest."""
    typed = {name: value.strip() for name, value in form.items()}
    body: dict[str, Any] = {"request": _whole(typed["json"]) if typed.get("json") else _request(typed)}
    for name in ("priority", "max_attempts"):
        if typed.get(name):
            body[name] = number(name, typed[name])
    if typed.get("webhook"):
        body["webhook"] = {"url": typed["webhook"]}
    return body


def _whole(text: str) -> Any:
    """A request as JSON, which goes before the fields."""
    try:
        return strict_json.parse(text.encode())
    except InvalidJson as error:
        raise ValidationError({"request": [error.message]}) from error


def _request(typed: Mapping[str, str]) -> dict[str, Any]:
    content: list[dict[str, Any]] = [_medium(typed)] if typed.get("medium_url") or typed.get("file_id") else []
    if typed.get("prompt"):
        content.append({"type": "input_text", "text": typed["prompt"]})
    request: dict[str, Any] = {"model": typed.get("model", ""), "input": [{"role": "user", "content": content}]}
    if not content:
        raise ValidationError({"prompt": ["is required, unless a picture, a film or a whole request is given"]})
    if typed.get("instructions"):
        request["instructions"] = typed["instructions"]
    if typed.get("max_output_tokens"):
        request["max_output_tokens"] = number("max_output_tokens", typed["max_output_tokens"])
    if typed.get("metadata"):
        request["metadata"] = _metadata(typed["metadata"])
    if typed.get("stream"):
        request["stream"] = True
    return request


def _metadata(text: str) -> dict[str, str]:
    try:
        return pairs(text)
    except ValueError as error:
        raise ValidationError({"metadata": [str(error)]}) from error


def _medium(typed: Mapping[str, str]) -> dict[str, Any]:
    kind = typed.get("kind", "video") if typed.get("kind", "video") in KINDS else "video"
    part: dict[str, Any] = {"type": f"input_{kind}"}
    if typed.get("file_id"):
        part["file_id"] = typed["file_id"]
    else:
        part[KINDS[kind]] = typed["medium_url"]
    if kind == "video" and typed.get("fps"):
        part["fps"] = number("fps", typed["fps"])
    return part


def number(name: str, text: str) -> int | float:
    """Raises ValidationError for what is none."""
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise ValidationError({name: [f"must be a number, got {text[:40]!r}"]}) from error
