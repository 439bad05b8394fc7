"""`respool submit`: hands a request in."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import IO

import click

from respool.client import Api
from respool.target import find_api, folder_option, url_option
from schemas import strict_json
from schemas.error import InvalidJson
from schemas.respool_options import DEFAULT_PRIORITY, PRIORITIES
from schemas.strict_json import JSONValue


@click.command()
@click.argument("file", type=click.File("rb"))
@click.option(
    "--priority",
    type=click.IntRange(PRIORITIES[0], PRIORITIES[-1]),
    help=f"Higher goes first: a step is worth some time of waiting.  [default: what FILE says, or {DEFAULT_PRIORITY}]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the whole job instead of its id.")
@url_option
@folder_option
def submit(file: IO[bytes], priority: int | None, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Hand in the request in FILE (- for standard input) and print the job's id.

    FILE holds JSON: either a Responses request ({"model": …, "input": …}) or a job ({"request": {…}, "metadata": …}).
    """
    body = as_job(_read(file)) | ({} if priority is None else {"priority": priority})
    # One key for all tries of this command: whatever gets lost on the way, there is one job.
    job = Api(find_api(url=url, folder=folder)).submit(body, idempotency_key=f"cli-{secrets.token_hex(16)}")
    click.echo(json.dumps(job.document, indent=2, ensure_ascii=False) if as_json else job.id)


def _read(file: IO[bytes]) -> JSONValue:
    try:
        return strict_json.parse(file.read())
    except InvalidJson as error:
        raise click.BadParameter(error.message, param_hint="FILE") from error


def as_job(document: JSONValue) -> dict[str, JSONValue]:
    """The body of POST /v1/jobs; a bare Responses request is wrapped into one. Raises click.BadParameter."""
    if not isinstance(document, dict):
        raise click.BadParameter("must hold one JSON object", param_hint="FILE")
    return {"request": document} if "request" not in document and document.keys() & {"input", "model"} else document
