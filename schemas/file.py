"""A file on the wire."""

from schemas.base import Base
from schemas.bounds import OneOf
from schemas.fields import Boolean, Integer, List, Object, String

PURPOSES = ("batch", "user_data")
"""What a caller may upload a file for."""

ALL_PURPOSES = (*PURPOSES, "batch_output")
"""The last is of files that this service writes itself."""

LEAST_EXPIRY_SECONDS = 3600
MOST_EXPIRY_SECONDS = 30 * 86400


class FileSchema(Base):
    id = String(required=True)
    object = String(required=True, validate=OneOf(("file",)))
    bytes = Integer(required=True)
    created_at = Integer(required=True, metadata={"description": "Unix seconds."})
    filename = String(required=True)
    purpose = String(required=True, validate=OneOf(ALL_PURPOSES))
    status = String(required=True, validate=OneOf(("processed",)))
    expires_at = Integer(metadata={"description": "Unix seconds; absent where the file stays until it is deleted."})


class FileListSchema(Base):
    object = String(required=True, validate=OneOf(("list",)))
    data = List(Object(FileSchema), required=True)
    first_id = String(required=True, allow_none=True)
    last_id = String(required=True, allow_none=True)
    has_more = Boolean(required=True)


class FileDeletedSchema(Base):
    id = String(required=True)
    object = String(required=True, validate=OneOf(("file",)))
    deleted = Boolean(required=True)
