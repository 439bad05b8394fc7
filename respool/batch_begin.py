"""`respool batch submit` and `respool batch retry`: what begins a batch."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from respool.batch_status import follow, json_batches, watch_option
from respool.batch_view import BatchView, read_batch
from respool.client import Api, new_key, path_of
from respool.pairs import read_pairs
from respool.target import find_api, folder_option, url_option
from respool.uploads import size, upload
from respool.visible import print_document, shown
from schemas.respool_options import PRIORITIES


@click.command(short_help="Hand in a file of requests.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--window-seconds", type=click.IntRange(1), help="Until when it must have ended.  [default: 24 hours]")
@click.option("--metadata", multiple=True, metavar="KEY=VALUE", help="Kept with the batch.")
@click.option("--priority", type=click.IntRange(PRIORITIES[0], PRIORITIES[-1]), help="Among batches.  [default: 0]")
@click.option("--webhook", metavar="URL", help="Where the batch's end is told.")
@watch_option
@json_batches
@url_option
@folder_option
def submit(
    file: Path, window_seconds: int | None, metadata: Sequence[str], priority: int | None, webhook: str | None,
    watched: bool, as_json: bool, url: str | None, folder: Path | None,
) -> None:  # fmt: skip
    """Hand in the requests in FILE, one a line, and print the batch's id."""
    named = read_pairs(metadata, option="--metadata")
    options = {
        "completion_window_seconds": window_seconds,
        "priority": priority,
        "webhook": webhook and {"url": webhook},
    }
    api = Api(find_api(url=url, folder=folder))
    kept = upload(api, file, purpose="batch")
    click.echo(shown(f"{file.name}: {size(file.stat().st_size)}, uploaded as {kept['id']}"), err=True)
    body = {
        "input_file_id": kept["id"], "endpoint": "/v1/responses", "completion_window": "24h",
        **({"metadata": named} if named else {}),
        "respool": {name: value for name, value in options.items() if value is not None},
    }  # fmt: skip
    _begun(api, read_batch(api.post("/v1/batches", body, key=new_key())), watched=watched, as_json=as_json)


@click.command(short_help="Make a batch of the lines that failed.")
@click.argument("batch_id", metavar="ID")
@watch_option
@json_batches
@url_option
@folder_option
def retry(batch_id: str, watched: bool, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Make a batch of the lines that failed, or were not run, and print its id."""
    api = Api(find_api(url=url, folder=folder))
    begun = read_batch(api.post(path_of("batches", batch_id, "retry"), key=new_key()))
    _begun(api, begun, watched=watched, as_json=as_json)


def _begun(api: Api, begun: BatchView, *, watched: bool, as_json: bool) -> None:
    if watched:
        click.echo(begun.id, err=True)
        follow(api, [begun.id], as_json=as_json)
    elif as_json:
        print_document(begun.document)
    else:
        click.echo(begun.id)
