"""Files put straight into the store."""

from pathlib import Path

import redis

from jobs.file_folder import FileFolder
from jobs.file_record import File, NewFile
from jobs.files import Files


def store_at(path: Path, client: redis.Redis, **bounds: int) -> Files:
    """The files whose bytes lie in that folder, which is made."""
    folder = FileFolder(path)
    folder.make()
    return Files(client, folder, **bounds)


def put(
    files: Files,
    data: bytes,
    *,
    project: str = "alice",
    purpose: str = "user_data",
    filename: str = "notes.txt",
    expires: int | None = None,
) -> File:
    """A new file; `expires` is in seconds."""
    with files.arriving(project) as arrival:
        arrival.bytes.write(data)
        new = NewFile(project=project, purpose=purpose, filename=filename, expires_after_seconds=expires)
        return files.keep(new, arrival)
