"""The files that a request names by their id."""

from __future__ import annotations

from collections.abc import Mapping

from api.asked import Asked
from api.auth import caller
from api.file_errors import mistaken
from api.services import services
from jobs.file_record import File
from schemas.error import FieldError
from schemas.file_parts import file_parts
from schemas.mistakes import MAX_MISTAKES

PURPOSE = "user_data"


def named_files(asked: Asked) -> dict[str, File]:
    """The files of ours that the request names, by their ids. None of them where this service keeps no files.

    Raises a Refusal of 400 for those that are not the caller's, or are for something else; StoreUnavailable.
    """
    store, ids = services().files, {part["file_id"] for _, part in file_parts(asked.whole)}
    if store is None or not ids:
        return {}
    found = store.files.get_all(ids, project=caller().project)
    if mistakes := _mistakes(asked, ids, found):
        raise mistaken(mistakes)
    return found


def _mistakes(asked: Asked, ids: set[str], found: Mapping[str, File]) -> list[FieldError]:
    """By the path in the caller's body; what only the turns before it name stands under what named those."""
    place = "" if asked.body is asked.request else "request."
    named = [(f"{path}.file_id", part["file_id"]) for path, part in file_parts(asked.request)]
    named += [("previous_response_id", file_id) for file_id in sorted(ids - {file_id for _, file_id in named})]
    told = [(place + path, _mistake(file_id, found.get(file_id))) for path, file_id in named]
    return [FieldError(path=path, message=mistake) for path, mistake in told if mistake][:MAX_MISTAKES]


def _mistake(file_id: str, file: File | None) -> str | None:
    if file is None:
        return f"No such File object: {file_id}"
    return f"must be a file of purpose {PURPOSE}, {file_id} is for {file.purpose}" if file.purpose != PURPOSE else None
