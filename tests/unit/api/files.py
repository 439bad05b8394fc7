"""Uploads as callers make them."""

import io
from typing import Any

from werkzeug.test import TestResponse

from tests.unit.api.conftest import Caller


def upload(
    caller: Caller, data: bytes = b"hello", *, filename: str = "notes.txt", purpose: str = "user_data", **fields: str
) -> TestResponse:
    """`expires_after` in `fields` is in seconds, from the creation."""
    form: dict[str, Any] = {"purpose": purpose}
    if "expires_after" in fields:
        form |= {"expires_after[anchor]": "created_at", "expires_after[seconds]": fields.pop("expires_after")}
    return caller.post("/v1/files", data=form | fields | {"file": (io.BytesIO(data), filename)})


def uploaded(caller: Caller, data: bytes = b"hello", **how: Any) -> dict[str, Any]:
    """The file as the answer shows it."""
    answer = upload(caller, data, **how)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json
    return found
