"""Pictures and videos that are named on the command line: addresses, or files of this machine."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import click

from jobs.media_types import HEAD_BYTES, media_type
from respool.client import Api
from respool.errors import Refused
from respool.uploads import size, upload
from respool.visible import shown

KEPT_SECONDS = 30 * 24 * 3600
"""How long the service keeps a file that was uploaded for a job."""

_ADDRESS = re.compile(r"(https?://|data:)", re.IGNORECASE)


def part(api: Api, kind: str, named: str) -> dict[str, Any]:
    """The part of a request for what was named; `kind` is image or video.

    A file is uploaded; where the service keeps none, it goes as a data URI. Raises click.UsageError where there is no
    such file, and what Api raises.
    """
    if _ADDRESS.match(named):
        return {"type": f"input_{kind}", f"{kind}_url": named}
    file = Path(named)
    if not file.is_file():
        raise click.UsageError(f"--{kind} {named}: no such file, nor does it start with https://, http:// or data:")
    try:
        kept = upload(api, file, purpose="user_data", expires_after_seconds=KEPT_SECONDS)
    except Refused as error:
        if error.code != "files_not_configured" and error.http_status != 404:
            raise
        return {"type": f"input_{kind}", f"{kind}_url": _inside(file)}
    _tell(file, f"uploaded as {kept['id']}")
    return {"type": f"input_{kind}", "file_id": kept["id"]}


def _inside(file: Path) -> str:
    try:
        whole = file.read_bytes()
    except OSError as error:
        raise click.UsageError(f"cannot read {file}: {error.strerror}") from error
    _tell(file, "goes inside the request, since the service keeps no files")
    return f"data:{media_type(whole[:HEAD_BYTES], file.name)};base64,{base64.b64encode(whole).decode()}"


def _tell(file: Path, where: str) -> None:
    click.echo(shown(f"{file.name}: {size(file.stat().st_size)}, {where}"), err=True)
