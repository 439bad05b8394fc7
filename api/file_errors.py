"""The errors of files as answers."""

from __future__ import annotations

from api.batch_errors import batch_refusal_of
from api.refusal import Refusal
from jobs import errors as store


def file_refusal_of(error: store.StoreError) -> Refusal:
    """What the caller is told; an error that no caller can cause is raised again."""
    match error:
        case store.FileNotFound():
            return file_not_found(str(error))
        case store.FileTooLarge():
            message = f"The file is larger than {error} bytes (RESPOOL_MAX_FILE_BYTES)."
            return Refusal(413, message, param="file", code="file_too_large")
        case store.FilesFull():
            message = f"The project's files may take {error} bytes together (RESPOOL_FILES_BYTES); delete some first."
            return Refusal(413, message, param="file", code="files_full")
        case store.TooManyFiles():
            message = f"A project may have {error} files, and this one has them; delete some first."
            return Refusal(413, message, param="file", code="too_many_files")
        case _:
            return batch_refusal_of(error)


def file_not_found(file_id: str) -> Refusal:
    return Refusal(404, f"No such File object: {file_id[:64]}", param="id", code="file_not_found")
