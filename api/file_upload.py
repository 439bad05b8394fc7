"""Reading a request that carries a file: its form, and the file's bytes straight onto the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import request
from marshmallow import ValidationError
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from api.auth import caller
from api.queries import FileForm
from api.refusal import Refusal
from api.services import services
from jobs.errors import RequestMistaken
from jobs.file_record import File, NewFile
from jobs.files import Files
from schemas.error import FieldError
from schemas.file import MOST_EXPIRY_SECONDS
from schemas.file_name import MOST_NAME_CHARACTERS, is_file_name
from schemas.mistakes import MAX_MISTAKES, cut

if TYPE_CHECKING:
    from werkzeug.formparser import TStreamFactory

MOST_FORM_BYTES = 512 * 1024
"""Of the fields beside the file, and of what the parser holds at a time."""

MOST_PARTS = 20
FORM = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["purpose", "file"],
                "properties": {
                    "purpose": {"type": "string", "enum": ["batch", "user_data"]},
                    "file": {"type": "string", "format": "binary"},
                    "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                    "expires_after[seconds]": {"type": "integer", "minimum": 3600, "maximum": MOST_EXPIRY_SECONDS},
                },
            }
        }
    },
}
"""What is read here, in the words of OpenAPI."""


def receive(files: Files) -> File:
    """Keeps the file that the present request carries; of one that is refused nothing is left.

    Raises Refusal, StoreError.
    """
    _check_kind()
    with files.arriving(caller().project) as arrival:
        form, filename = _parsed(arrival.bytes)
        if not arrival.bytes.size:
            raise _wrong("file", "must not be empty")
        asked = _loaded(form)
        seconds = asked.get("seconds")
        if seconds is None and asked["purpose"] == "batch":
            seconds = MOST_EXPIRY_SECONDS
        new = NewFile(
            project=caller().project, purpose=asked["purpose"], filename=filename, expires_after_seconds=seconds
        )
        return files.keep(new, arrival)


def _loaded(form: dict[str, str]) -> dict[str, Any]:
    try:
        loaded: dict[str, Any] = FileForm().load(form)
    except ValidationError as error:
        messages: Any = error.messages
        told = [FieldError(path=cut(name or ""), message=found[0]) for name, found in messages.items()]
        raise RequestMistaken(told[:MAX_MISTAKES]) from error
    return loaded


def _check_kind() -> None:
    if request.mimetype != "multipart/form-data":
        message = f"The content type must be multipart/form-data, got {request.mimetype[:64] or 'none'}."
        raise Refusal(415, message, param="Content-Type", code="unsupported_media_type")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        message = "The form must not be compressed: Content-Encoding is not supported."
        raise Refusal(415, message, param="Content-Encoding", code="unsupported_media_type")
    most = services().settings.max_file_bytes + MOST_FORM_BYTES
    if (request.content_length or 0) > most:
        raise _too_large()
    request.max_content_length = most


def _parsed(coming: object) -> tuple[dict[str, str], str]:
    """The fields, and what the file is called, after its bytes went to `coming`."""
    begun = False

    def begin(**_: object) -> object:
        nonlocal begun
        if begun:
            raise _wrong("file", "must be given once")
        begun = True
        return coming

    parser = FormDataParser(
        cast("TStreamFactory", begin), max_form_memory_size=MOST_FORM_BYTES, max_form_parts=MOST_PARTS, silent=False
    )
    try:
        _, form, sent = parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
    except RequestEntityTooLarge as error:
        raise _too_large() from error
    except ValueError as error:
        raise Refusal(400, "The body is no whole multipart form.", code="invalid_form") from error
    if list(sent) != ["file"]:
        raise _wrong("file", "is required, as a part of the form that has a filename")
    for name, values in form.lists():
        if len(values) > 1:
            raise _wrong(cut(name or ""), "each field must be given once")
    return form.to_dict(), _checked(sent["file"].filename or "")


def _checked(filename: str) -> str:
    if not is_file_name(filename):
        raise _wrong("file", f"must have a filename of 1 to {MOST_NAME_CHARACTERS} characters without controls")
    return filename


def _wrong(param: str, why: str) -> Refusal:
    return Refusal(400, f"{param}: {why}" if param else why, param=param or None, code="invalid_value")


def _too_large() -> Refusal:
    bound = services().settings.max_file_bytes
    message = (
        f"The upload is larger than a file of {bound} bytes (RESPOOL_MAX_FILE_BYTES) can be, or has more than "
        f"{MOST_PARTS} parts, or more than {MOST_FORM_BYTES} bytes beside the file."
    )
    return Refusal(413, message, param="file", code="file_too_large")
