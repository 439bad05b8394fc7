"""/v1/files: what requests name by an id instead of carrying it."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from flask_smorest import Blueprint

from api.auth import authenticate, scope
from api.file_download import download
from api.file_store import configured
from api.file_upload import FORM, receive
from api.file_view import dump_file
from api.openapi import StrictBlueprint
from api.queries import FileListQuery
from api.services import services
from jobs.media_types import OCTETS
from schemas.error import ErrorSchema
from schemas.file import FileDeletedSchema, FileListSchema, FileSchema

BYTES = {"content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}}}


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("files", __name__, url_prefix="/v1/files", description="Uploaded files")
    views.before_request(authenticate)
    not_found = views.alt_response(404, schema=ErrorSchema, description="No such file for this key.")
    not_kept = views.alt_response(501, schema=ErrorSchema, description="RESPOOL_FILES_FOLDER is not set.")

    @views.route("", methods=["POST"])
    @views.response(200, FileSchema)
    @views.alt_response(400, schema=ErrorSchema, description="A mistake in the form.")
    @views.alt_response(
        413, schema=ErrorSchema, description="The file, or the project's files together, are too large."
    )
    @not_kept
    @views.doc(requestBody=FORM)
    def create() -> Response:
        """Upload a file; the answer comes once it is on disk."""
        return jsonify(dump_file(receive(configured(services().files).files)))

    @views.route("", methods=["GET"])
    @views.arguments(FileListQuery, location="query")
    @views.response(200, FileListSchema)
    @not_kept
    def index(query: dict[str, Any]) -> Response:
        """List files, newest first unless asked otherwise."""
        page = configured(services().files).listing.page(
            project=scope(),
            purpose=query.get("purpose"),
            limit=query["limit"],
            after=query.get("after"),
            order=query["order"],
        )
        ids = [file.id for file in page.files]
        return jsonify(
            object="list",
            data=[dump_file(file) for file in page.files],
            first_id=ids[0] if ids else None,
            last_id=ids[-1] if ids else None,
            has_more=page.has_more,
        )

    @views.route("/<file_id>", methods=["GET"])
    @views.response(200, FileSchema)
    @not_found
    @not_kept
    def show(file_id: str) -> Response:
        """Look at a file."""
        return jsonify(dump_file(configured(services().files).files.get(file_id, project=scope())))

    @views.route("/<file_id>", methods=["DELETE"])
    @views.response(200, FileDeletedSchema)
    @not_found
    @not_kept
    def delete(file_id: str) -> Response:
        """Forget a file; jobs that name it and have not started fail."""
        configured(services().files).files.delete(file_id, project=scope())
        return jsonify(id=file_id, object="file", deleted=True)

    @views.route("/<file_id>/content", methods=["GET"])
    @views.response(200)
    @not_found
    @not_kept
    @views.doc(responses={200: BYTES})
    def content(file_id: str) -> Response:
        """The file's bytes; a Range is answered with that part."""
        files = configured(services().files).files
        return download(files, files.get(file_id, project=scope()), media_type=OCTETS)

    return views
