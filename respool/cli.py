"""The command `respool`."""

from __future__ import annotations

import click

from respool.command_table import CommandTable, Entry
from respool.exits import MEANING

COMMANDS = {
    "up": Entry("respool.up:up", "Run the service on this machine until Ctrl-C."),
    "submit": Entry("respool.submit:submit", "Hand in a job and print its id."),
    "watch": Entry("respool.watch:watch", "Follow jobs to their ends, and show the answer as it comes."),
    "jobs": Entry("respool.listing:list_jobs", "List jobs, newest first."),
    "show": Entry("respool.show:show", "Show all of a job: its attempts, its answer, what it took."),
    "cancel": Entry("respool.steering:cancel", "Cancel jobs."),
    "retry": Entry("respool.steering:retry", "Queue failed jobs once more."),
    "batch": Entry("respool.batch:batch", "Files of many requests: hand in, follow, fetch the results."),
    "usage": Entry("respool.usage:usage", "Jobs, tokens and cost by day, model and key."),
    "export": Entry("respool.export:export", "Write jobs or usage as JSON, one object a line."),
    "lanes": Entry("respool.lanes:lanes", "Look at, change, pause and resume lanes."),
    "projects": Entry("respool.projects:projects", "Look at projects, and change their shares and budgets."),
    "keys": Entry("respool.keys:keys", "Make, list and revoke API keys, and replace what signs webhooks."),
    "webhooks": Entry("respool.webhooks:webhooks", "Receivers of events, what became of deliveries, and replay."),
    "backup": Entry("respool.backup:backup", "Copy a service into a new folder while it runs."),
    "restore": Entry("respool.restore:restore", "Make of a backup what a service starts from."),
    "doctor": Entry("respool.doctor:doctor", "Look for what is wrong, and say what to do."),
}

EPILOG = "\b\nExit codes:\n" + "\n".join(f"  {code:>3}  {meaning}" for code, meaning in MEANING.items())


@click.group(cls=CommandTable, table=COMMANDS, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="respool")
def main() -> None:
    """Durable background jobs for any Responses endpoint.

    Commands find the service by --url or RESPOOL_URL, with the key RESPOOL_API_KEY, or by the folder of a running
    `respool up` (--data).
    """
