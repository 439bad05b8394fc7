"""`respool batch results`: the files of a batch that has ended, the lines so far of one that has not."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import click
import requests
import urllib3

from respool.batch_progress import find_batch
from respool.batch_view import BatchView
from respool.client import Api, path_of
from respool.errors import Refused, Unreachable
from respool.target import find_api, folder_option, url_option
from respool.uploads import SHOWN_BYTES, size
from respool.visible import print_line

CHUNK_BYTES = 256 * 1024
EVERYTHING = 10**9


@click.command(short_help="Fetch the answers, and what failed.")
@click.argument("batch_id", metavar="ID")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write the answers there.")
@click.option("-e", "--errors", type=click.Path(dir_okay=False, path_type=Path), help="Write what failed there.")
@url_option
@folder_option
def results(batch_id: str, output: Path | None, errors: Path | None, url: str | None, folder: Path | None) -> None:
    """Fetch what became of the lines of a batch, as JSON lines; in the middle of it, of those that have ended.

    Without options all of it goes to stdout, answers first. Lines keep the order of the input; `custom_id` tells which
    is which.
    """
    api = Api(find_api(url=url, folder=folder))
    found = find_batch(api, batch_id)
    if not found.ended:
        if output or errors:
            raise click.UsageError(f"{found.id} is {found.status}; its files are there once it has ended")
        print_so_far(api, found)
        return
    for mistake in found.mistakes:
        click.echo(mistake, err=True)
    if output or not errors:
        fetch(api, found.document.get("output_file_id"), output)
    if errors or not output:
        fetch(api, found.document.get("error_file_id"), errors)
    if found.failed and output and not errors:
        click.echo(
            f"{found.failed} lines failed; --errors fetches them, `respool batch retry` runs them anew", err=True
        )


def print_so_far(api: Api, batch: BatchView) -> None:
    """The lines that have ended, as the output file will have them."""
    click.echo(f"{batch.id} is {batch.status}; these are the lines that have ended so far", err=True)
    for line in api.rows(path_of("batches", batch.id, "lines"), most=EVERYTHING):
        if line.get("response") is not None or line.get("error") is not None:
            print_line({name: line.get(name) for name in ("id", "custom_id", "response", "error")})


def fetch(api: Api, file_id: str | None, target: Path | None) -> None:
    """The file's bytes to `target` (None: stdout), whole or not at all; nothing where there is no such file."""
    if target is None:
        if file_id:
            _copy(api, file_id, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        return
    draft = target.with_name(f".{target.name}.part")
    try:
        with draft.open("wb") as file:
            if file_id:
                _copy(api, file_id, file)
        draft.replace(target)
    except OSError as error:
        raise Refused(f"cannot write {target}: {error.strerror}") from error
    finally:
        draft.unlink(missing_ok=True)
    click.echo(f"{target}: {size(target.stat().st_size)}", err=True)


def _copy(api: Api, file_id: str, file: IO[bytes]) -> None:
    with api.session.streamed(path_of("files", file_id, "content")) as answer, ExitStack() as stack:
        told = _bar(stack, int(answer.headers.get("Content-Length") or 0), piped=not file.isatty())
        try:
            for chunk in answer.iter_content(CHUNK_BYTES):
                file.write(chunk)
                told(len(chunk))
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise Unreachable("the connection broke before the whole file had come") from error


def _bar(stack: ExitStack, total: int, *, piped: bool) -> Any:
    if total < SHOWN_BYTES or not sys.stderr.isatty() or not piped:
        return lambda _: None
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TransferSpeedColumn

    progress = Progress(BarColumn(), DownloadColumn(), TransferSpeedColumn(), console=Console(stderr=True))
    task = stack.enter_context(progress).add_task("results", total=total)
    return lambda count: progress.update(task, advance=count)
