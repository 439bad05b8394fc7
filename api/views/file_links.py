"""/v1/files/{id}/signed: a file for whoever holds a link that was signed here, such as the upstream."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_smorest import Blueprint

from api.file_download import download
from api.file_store import configured
from api.openapi import StrictBlueprint
from api.queries import FileLinkQuery
from api.refusal import Refusal
from api.services import services
from schemas.error import ErrorSchema


def make_blueprint() -> Blueprint:
    views = StrictBlueprint("file_links", __name__, url_prefix="/v1/files", description="Signed links to files")

    @views.route("/<file_id>/signed", methods=["GET"])
    @views.arguments(FileLinkQuery, location="query")
    @views.response(200)
    @views.alt_response(403, schema=ErrorSchema, description="The link is not ours, or its time is over.")
    @views.alt_response(404, schema=ErrorSchema, description="The file is gone.")
    @views.alt_response(501, schema=ErrorSchema, description="RESPOOL_FILES_FOLDER is not set.")
    @views.doc(
        security=[],
        responses={200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}},
    )
    def signed(query: dict[str, Any], file_id: str) -> Response:
        """The file's bytes, without a key; a Range is answered with that part."""
        store = configured(services().files)
        if not store.links.admits(file_id, expires=query["expires"], signature=query["signature"]):
            raise Refusal(
                403, "The link is not valid, or no longer.", type="permission_error", code="invalid_signature"
            )
        file = store.files.get(file_id, project=None)
        return download(store.files, file, media_type=file.media_type)

    return views
