"""The files of this service, as far as it keeps any."""

from __future__ import annotations

from dataclasses import dataclass

import redis

from api.refusal import Refusal
from jobs.file_folder import FileFolder
from jobs.file_links import FileLinks
from jobs.file_listing import FileListing
from jobs.files import Files
from jobs.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStore:
    files: Files
    listing: FileListing
    links: FileLinks


def open_file_store(settings: Settings, client: redis.Redis) -> FileStore | None:
    """None where no folder is set. Raises SettingsError if files cannot be kept in it."""
    if settings.files_folder is None:
        return None
    folder = FileFolder(settings.files_folder)
    folder.make()
    files = Files(client, folder, most_bytes=settings.files_bytes, most_file_bytes=settings.max_file_bytes)
    return FileStore(
        files=files,
        listing=FileListing(client, files),
        links=FileLinks(client, secret=settings.secret, public_url=settings.public_url),
    )


def configured(store: FileStore | None) -> FileStore:
    """Raises a Refusal of 501 where no folder is set."""
    if store is None:
        message = "This service keeps no files: RESPOOL_FILES_FOLDER is not set."
        raise Refusal(501, message, code="files_not_configured", headers={"x-should-retry": "false"})
    return store
