"""`respool cancel` and `respool retry`: what is done to jobs that were handed in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from respool.client import Api, as_job, new_key, path_of
from respool.errors import Refused
from respool.exits import Exit
from respool.job_view import JobView, as_job_id
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_line
from respool.watch import follow


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@json_option("Print the whole jobs, one a line.")
@url_option
@folder_option
def cancel(job_ids: Sequence[str], as_json: bool, url: str | None, folder: Path | None) -> None:
    """Cancel jobs; one that has ended stays as it is."""
    api = Api(find_api(url=url, folder=folder))
    _each(job_ids, lambda job_id: as_job(api.post(path_of("jobs", job_id, "cancel"), key=new_key())), as_json=as_json)


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@click.option("-w", "--watch", "watched", is_flag=True, help="Follow them to their ends, as `respool watch` does.")
@json_option("Print the whole jobs, one a line.")
@url_option
@folder_option
def retry(job_ids: Sequence[str], watched: bool, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Queue failed jobs once more, with attempts as many as at first."""
    api = Api(find_api(url=url, folder=folder))

    def again(job_id: str) -> JobView:
        return as_job(api.post(path_of("jobs", job_id, "retry"), key=new_key()))

    if not watched:
        _each(job_ids, again, as_json=as_json)
        return
    follow([again(as_job_id(job_id)).id for job_id in dict.fromkeys(job_ids)], api=api, as_json=as_json)


def _each(job_ids: Sequence[str], act: Callable[[str], JobView], *, as_json: bool) -> None:
    """Does it to all of them; one that is refused does not keep the others from it, though the command fails."""
    refused = False
    for job_id in dict.fromkeys(job_ids):
        try:
            job = act(as_job_id(job_id))
        except Refused as error:
            error.show()
            refused = True
        else:
            print_line(job.document) if as_json else click.echo(f"{job.id} {job.status}")
    if refused:
        raise click.exceptions.Exit(Exit.FAILED)
