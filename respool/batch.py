"""`respool batch`: files of many requests."""

from __future__ import annotations

import click

from respool.batch_begin import retry, submit
from respool.batch_results import results
from respool.batch_status import cancel, status


@click.group()
def batch() -> None:
    """Files of many requests: hand in, follow, fetch the results.

    A file has one request a line: {"custom_id": "1", "method": "POST", "url": "/v1/responses", "body": {"model": …,
    "input": …}}.
    """


for command in (submit, status, results, cancel, retry):
    batch.add_command(command)
