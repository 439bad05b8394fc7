"""The command `respool`."""

from __future__ import annotations

import click

from respool.backup import backup
from respool.export import export
from respool.keys import keys
from respool.lanes import lanes
from respool.listing import list_jobs
from respool.projects import projects
from respool.restore import restore
from respool.submit import submit
from respool.up import up
from respool.watch import watch


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="respool")
def main() -> None:
    """Durable background jobs for any Responses endpoint.

    Exit codes: 0 done; 1 the job did not end well, or the service refused; 2 wrong usage; 3 no service answers.
    """


for command in (up, submit, watch, list_jobs, keys, lanes, projects, export, backup, restore):
    main.add_command(command)
