"""`respool webhooks`: receivers of events, what became of deliveries, and replay."""

from __future__ import annotations

import click

from respool import webhook_deliveries, webhook_endpoints


@click.group()
def webhooks() -> None:
    """Receivers of events, what became of deliveries, and replay."""


for command in (*webhook_endpoints.COMMANDS, *webhook_deliveries.COMMANDS):
    webhooks.add_command(command)
