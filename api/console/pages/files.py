"""The page of files: uploaded, looked at, deleted."""

from __future__ import annotations

import io

from flask import Blueprint, Response, jsonify, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from api.auth import scope
from api.console.notes import note
from api.console.shown_request import SAFE_TYPES
from api.file_download import download
from api.file_store import configured
from api.file_upload import receive
from api.file_view import dump_file
from api.services import services
from jobs.media_types import OCTETS
from schemas.file_parts import is_own_id

PAGE_FILES = 50
SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"


def register(views: Blueprint) -> None:
    @views.get("/console/files")
    def files() -> str:
        store = services().files
        if store is None:
            return render_template("console/files.html", kept=False, files=[], following=None)
        after = request.args.get("after")
        page = store.listing.page(
            project=scope(), purpose=None, limit=PAGE_FILES, after=after if is_own_id(after) else None
        )
        following = page.files[-1].id if page.has_more and page.files else None
        return render_template("console/files.html", kept=True, files=page.files, following=following)

    @views.post("/console/files")
    def upload_file() -> Response:
        """For the page's script, which sends the file alone and its token in a header."""
        return jsonify(dump_file(receive(configured(services().files).files)))

    @views.get("/console/files/<file_id>/content")
    def file_content(file_id: str) -> Response:
        kept = configured(services().files).files
        file = kept.get(file_id, project=scope())
        safe = file.media_type in SAFE_TYPES
        answer = download(kept, file, media_type=file.media_type if safe else OCTETS)
        answer.headers["Content-Security-Policy"] = SANDBOX
        if safe:
            answer.headers.set("Content-Disposition", "inline", filename=file.filename)
        return answer

    @views.post("/console/files/<file_id>/delete")
    def delete_file(file_id: str) -> AnyResponse:
        configured(services().files).files.delete(file_id, project=scope())
        note(f"{file_id} is forgotten.")
        return redirect(url_for("console.files"), 303)


def inline(content: bytes, *, media_type: str) -> Response:
    """Bytes that somebody sent, to be seen where no browser would run them, else to be saved."""
    safe = media_type in SAFE_TYPES
    answer = send_file(
        io.BytesIO(content),
        mimetype=media_type if safe else OCTETS,
        as_attachment=not safe,
        download_name="medium",
        conditional=True,
        etag=False,
    )
    answer.headers["Content-Security-Policy"] = SANDBOX
    answer.headers["Cache-Control"] = "no-store"
    return answer
