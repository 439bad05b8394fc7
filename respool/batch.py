"""`respool batch`: files of many requests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from respool import batch_results
from respool.batch_progress import find_batch, follow_batches
from respool.batch_view import COLUMNS, BatchView, cells, lines, read_batch
from respool.client import Api, new_key, path_of
from respool.exits import Exit
from respool.pairs import read_pairs
from respool.tables import print_table, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.uploads import size, upload
from respool.visible import print_document, print_lines, shown
from schemas.respool_options import PRIORITIES

watch_option = click.option("-w", "--watch", "watched", is_flag=True, help="Follow it to its end, with a bar.")
json_batches = json_option("Print whole batches; a list has one on each line.")


@click.group()
def batch() -> None:
    """Files of many requests: hand in, follow, fetch the results.

    A file has one request a line: {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": …,
    "input": …}}.
    """


@batch.command()
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


@batch.command()
@click.argument("batch_ids", metavar="[ID]...", nargs=-1)
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000), help="Without ID: so many.")
@watch_option
@json_batches
@url_option
@folder_option
def status(
    batch_ids: Sequence[str], limit: int, watched: bool, as_json: bool, url: str | None, folder: Path | None
) -> None:
    """Show batches: those that are named, or the newest ones."""
    api = Api(find_api(url=url, folder=folder))
    if watched:
        _followed(api, batch_ids or [found.id for found in _newest(api, limit) if not found.ended], as_json=as_json)
        return
    found = [find_batch(api, batch_id) for batch_id in batch_ids] if batch_ids else _newest(api, limit)
    if as_json:
        print_document(found[0].document) if len(batch_ids) == 1 else print_lines(one.document for one in found)
    elif batch_ids:
        click.echo("\n\n".join("\n".join(lines(one)) for one in found))
    else:
        print_table(text_table(COLUMNS, [cells(one) for one in found]))


@batch.command()
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
        batch_results.print_so_far(api, found)
        return
    for mistake in found.mistakes:
        click.echo(mistake, err=True)
    if output or not errors:
        batch_results.fetch(api, found.document.get("output_file_id"), output)
    if errors or not output:
        batch_results.fetch(api, found.document.get("error_file_id"), errors)
    if found.failed and output and not errors:
        click.echo(
            f"{found.failed} lines failed; --errors fetches them, `respool batch retry` runs them anew", err=True
        )


@batch.command()
@click.argument("batch_id", metavar="ID")
@json_batches
@url_option
@folder_option
def cancel(batch_id: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Cancel what has not begun; what runs may end, and what has ended is kept."""
    api = Api(find_api(url=url, folder=folder))
    found = read_batch(api.post(path_of("batches", batch_id, "cancel"), key=new_key()))
    print_document(found.document) if as_json else click.echo(f"{found.id} {found.status}")


@batch.command()
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


def _newest(api: Api, limit: int) -> list[BatchView]:
    return [read_batch(document) for document in api.rows("/v1/batches", most=limit)]


def _begun(api: Api, begun: BatchView, *, watched: bool, as_json: bool) -> None:
    if watched:
        click.echo(begun.id, err=True)
        _followed(api, [begun.id], as_json=as_json)
    elif as_json:
        print_document(begun.document)
    else:
        click.echo(begun.id)


def _followed(api: Api, ids: Sequence[str], *, as_json: bool) -> None:
    """Ends the command by how the batches end."""
    try:
        ended = follow_batches(api, list(dict.fromkeys(ids)))
    except KeyboardInterrupt:
        click.echo(f"\nno longer watched, though it goes on: respool batch status --watch {' '.join(ids)}", err=True)
        raise
    if as_json:
        print_document(ended[0].document) if len(ended) == 1 else print_lines(one.document for one in ended)
    else:
        click.echo("\n\n".join("\n".join(lines(one)) for one in ended))
    if not all(one.good for one in ended):
        raise click.exceptions.Exit(Exit.FAILED)
