"""A file's bytes as an answer, read from the disk as they go out."""

from __future__ import annotations

from flask import Response, request
from werkzeug.wsgi import wrap_file

from jobs.file_record import File
from jobs.files import Files

PIECE_BYTES = 64 * 1024


def download(files: Files, file: File, *, media_type: str) -> Response:
    """All of it, or the part that the request's Range asks for. Raises FileNotFound, FolderUnavailable.

    It is handed out to be saved, never to be shown: whoever uploaded it could have put a page of theirs in it.
    """
    answer = Response(
        wrap_file(request.environ, files.open(file), PIECE_BYTES), content_type=media_type, direct_passthrough=True
    )
    try:
        answer.headers.set("Content-Disposition", "attachment", filename=file.filename)
        answer.content_length = file.bytes
        answer.make_conditional(request.environ, accept_ranges=True, complete_length=file.bytes)
    except BaseException:
        answer.close()
        raise
    return answer
