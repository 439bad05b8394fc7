"""The job that a command line asks for: a file's JSON, or what the options say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click

from schemas import strict_json
from schemas.error import InvalidJson
from schemas.strict_json import JSONValue


def read_job(body: bytes) -> dict[str, Any]:
    """The body of POST /v1/jobs that a file holds. Raises click.BadParameter."""
    try:
        return as_job(strict_json.parse(body))
    except InvalidJson as error:
        raise click.BadParameter(error.message, param_hint="FILE") from error


def as_job(document: JSONValue) -> dict[str, JSONValue]:
    """The body of POST /v1/jobs; a bare Responses request is wrapped into one. Raises click.BadParameter."""
    if not isinstance(document, dict):
        raise click.BadParameter("must hold one JSON object", param_hint="FILE")
    return {"request": document} if "request" not in document and document.keys() & {"input", "model"} else document


def request(*, model: str, prompt: str, media: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A Responses request. It asks for a stream, so that the answer can be watched as it is written."""
    text = {"type": "input_text", "text": prompt}
    content = [*media, *([text] if prompt else [])]
    return {"model": model, "input": [{"role": "user", "content": content}] if media else prompt, "stream": True}
