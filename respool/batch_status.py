"""`respool batch status` and `respool batch cancel`: how far batches are, followed to their ends or ended."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from respool.batch_progress import find_batch, follow_batches
from respool.batch_view import COLUMNS, BatchView, cells, lines, read_batch
from respool.client import Api, new_key, path_of
from respool.exits import Exit
from respool.tables import print_table, rows, text_table
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, print_lines

watch_option = click.option("-w", "--watch", "watched", is_flag=True, help="Follow it to its end, with a bar.")
json_batches = json_option("Print whole batches; a list has one on each line.")


@click.command(short_help="Show how far batches are.")
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
        follow(api, batch_ids or [found.id for found in _newest(api, limit) if not found.ended], as_json=as_json)
        return
    found = [find_batch(api, batch_id) for batch_id in batch_ids] if batch_ids else _newest(api, limit)
    if as_json:
        print_document(found[0].document) if len(batch_ids) == 1 else print_lines(one.document for one in found)
    elif batch_ids:
        click.echo("\n\n".join("\n".join(lines(one)) for one in found))
    else:
        print_table(text_table(COLUMNS, rows(cells, found)))


@click.command(short_help="Begin no more lines of a batch.")
@click.argument("batch_id", metavar="ID")
@json_batches
@url_option
@folder_option
def cancel(batch_id: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Cancel what has not begun; what runs may end, and what has ended is kept."""
    api = Api(find_api(url=url, folder=folder))
    found = read_batch(api.post(path_of("batches", batch_id, "cancel"), key=new_key()))
    print_document(found.document) if as_json else click.echo(f"{found.id} {found.status}")


def _newest(api: Api, limit: int) -> list[BatchView]:
    return [read_batch(document) for document in api.rows("/v1/batches", most=limit)]


def follow(api: Api, ids: Sequence[str], *, as_json: bool) -> None:
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
