"""What a worker does with files: it puts them into requests, and removes those that have expired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import redis

from jobs.file_folder import FileFolder
from jobs.file_links import FileLinks
from jobs.file_sweep import FileSweep
from jobs.files import Files
from jobs.settings import Settings
from worker.file_inputs import FileInputs, unfilled
from worker.file_sweeper import FileSweeper
from worker.loops import Loop
from worker.responses_client import Fill


@dataclass(frozen=True, slots=True, kw_only=True)
class FileWork:
    fill: Fill = unfilled
    loops: Sequence[Loop] = ()


def open_file_work(settings: Settings, client: redis.Redis) -> FileWork:
    """None, where no folder is set. Raises SettingsError if files cannot be kept in it."""
    if settings.files_folder is None:
        return FileWork()
    folder = FileFolder(settings.files_folder)
    folder.make()
    links = FileLinks(client, secret=settings.secret, public_url=settings.public_url)
    inputs = FileInputs(files=Files(client, folder), links=links if settings.file_delivery == "url" else None)
    return FileWork(fill=inputs.filled, loops=(Loop("file sweeper", FileSweeper(FileSweep(client, folder)).step),))
