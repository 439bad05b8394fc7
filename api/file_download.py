"""A file's bytes as an answer, read from the disk as they go out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO
from urllib.parse import quote

from flask import Response, request
from werkzeug.wsgi import wrap_file

from api.byte_range import asked_part
from api.refusal import Refusal
from jobs.file_record import File
from jobs.files import Files

PIECE_BYTES = 64 * 1024
NOT_PLAIN = re.compile(r"[^ !#-\[\]-~]")
"""What cannot stand between quotes in a header: those, backslashes, and what is not ASCII."""


def download(files: Files, file: File, *, media_type: str) -> Response:
    """All of it, or the part that the request's Range asks for.

    It is handed out to be saved, never to be shown: whoever uploaded it could have put a page of theirs in it.
    Raises a Refusal of 416 for a part that is not there, FileNotFound, FolderUnavailable.
    """
    part = _part(file)
    answer = _whole(files.open(file)) if part is None else _partial(files.open(file), part)
    answer.content_type = media_type
    answer.content_length = file.bytes if part is None else len(part)
    if part is not None:
        answer.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.bytes}"
    answer.headers["Accept-Ranges"] = "bytes"
    answer.headers["Content-Disposition"] = attachment(file.filename)
    return answer


def attachment(filename: str) -> str:
    """A Content-Disposition (RFC 6266): the name, or one in ASCII and the name itself for who can read that."""
    plain = NOT_PLAIN.sub("_", filename)
    whole = "" if plain == filename else f"; filename*=UTF-8''{quote(filename, safe='')}"
    return f'attachment; filename="{plain}"{whole}'


def _part(file: File) -> range | None:
    """Only a GET can ask for one. Nobody was told of a version that If-Range could name, so all of it comes then."""
    if request.method != "GET" or "If-Range" in request.headers:
        return None
    part = asked_part(request.headers.get("Range"), size=file.bytes)
    if part is None or part:
        return part
    told = {"Content-Range": f"bytes */{file.bytes}"}
    message = f"The file has {file.bytes} bytes, and none where the Range asks for some."
    raise Refusal(416, message, param="Range", code="range_not_satisfiable", headers=told)


def _whole(file: BinaryIO) -> Response:
    return Response(wrap_file(request.environ, file, PIECE_BYTES), direct_passthrough=True)


def _partial(file: BinaryIO, part: range) -> Response:
    answer = Response(_pieces(file, part), status=206)
    answer.call_on_close(file.close)
    return answer


def _pieces(file: BinaryIO, part: range) -> Iterator[bytes]:
    file.seek(part.start)
    left = len(part)
    while left and (piece := file.read(min(PIECE_BYTES, left))):
        left -= len(piece)
        yield piece
