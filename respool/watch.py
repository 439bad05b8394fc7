"""`respool watch`: follows jobs to their end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from respool.client import Api
from respool.displays import display, summary
from respool.exits import Exit
from respool.following import follow_all, follow_answer
from respool.job_view import JobView, as_job_id
from respool.live_answer import LiveAnswer
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, print_lines


@click.command()
@click.argument("job_ids", metavar="ID...", nargs=-1, required=True)
@json_option("Print the whole jobs instead of their text; of several, one a line.")
@url_option
@folder_option
def watch(job_ids: Sequence[str], as_json: bool, url: str | None, folder: Path | None) -> None:
    """Follow jobs to their ends, and show the answer as it comes.

    Of one job, the text goes to stdout and everything else to stderr; of several, all answers are printed once all have
    ended. Ctrl-C ends the watching and not the job. Ends with 0 if all of them completed (or were cut off by a bound,
    status incomplete), with 1 if one did not.
    """
    api = Api(find_api(url=url, folder=folder))
    follow([as_job_id(job_id) for job_id in dict.fromkeys(job_ids)], api=api, as_json=as_json)


def follow(ids: Sequence[str], *, api: Api, as_json: bool) -> None:
    """Watches the jobs, and ends the command by how they end."""
    try:
        found = [LiveAnswer(ids[0]).show(follow_answer(api, ids[0]))] if len(ids) == 1 and not as_json else []
        found = found or _all(api, ids, as_json=as_json)
    except KeyboardInterrupt:
        click.echo(f"\nno longer watched, though it goes on: respool watch {' '.join(ids)}", err=True)
        raise
    if not all(job.good for job in found):
        raise click.exceptions.Exit(Exit.FAILED)


def _all(api: Api, ids: Sequence[str], *, as_json: bool) -> list[JobView]:
    last: dict[str, JobView] = {}
    with display(ids) as shown:
        for job in follow_all(api, ids):
            last[job.id] = job
            shown.show(job)
    found = [last[job_id] for job_id in ids]
    if not as_json:
        click.echo("\n".join(summary(job) for job in found))
    elif len(found) == 1:
        print_document(found[0].document)
    else:
        print_lines(job.document for job in found)
    return found
