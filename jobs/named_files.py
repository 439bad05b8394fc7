"""The files that a request names by their id."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.asked import Asked
from jobs.conversation import FIELD
from jobs.errors import RequestMistaken
from jobs.file_record import File
from jobs.files import Files
from schemas.file_parts import file_parts
from schemas.mistakes import MAX_MISTAKES, FieldError

PURPOSE = "user_data"


def named_files(asked: Asked, whole: Mapping[str, Any], files: Files | None, *, project: str) -> dict[str, File]:
    """The files of ours that the `whole` request names, by their ids. None of them where this service keeps no files.

    Raises RequestMistaken for those that are not the project's, or are for something else; StoreUnavailable.
    """
    ids = {part["file_id"] for _, part in file_parts(whole)}
    if files is None or not ids:
        return {}
    found = files.get_all(ids, project=project)
    if mistakes := _mistakes(asked, ids, found):
        raise RequestMistaken(mistakes)
    return found


def _mistakes(asked: Asked, ids: set[str], found: Mapping[str, File]) -> list[FieldError]:
    """By the path in the caller's body; what only the turns before it name stands under what named those."""
    named = [(f"{path}.file_id", part["file_id"]) for path, part in file_parts(asked.request)]
    named += [(FIELD, file_id) for file_id in sorted(ids - {file_id for _, file_id in named})]
    told = [(asked.request_at + path, _mistake(file_id, found.get(file_id))) for path, file_id in named]
    return [FieldError(path=path, message=mistake) for path, mistake in told if mistake][:MAX_MISTAKES]


def _mistake(file_id: str, file: File | None) -> str | None:
    if file is None:
        return f"No such File object: {file_id}"
    return f"must be a file of purpose {PURPOSE}, {file_id} is for {file.purpose}" if file.purpose != PURPOSE else None
