"""What ends a command early; `exit_code` is what the shell sees.

0: done. 1: the job did not end well, the API refused, or a service could not be kept up. 2: wrong usage or a wrong
setting. 3: nothing answers where the service should be.
"""

from __future__ import annotations

from typing import IO, Any

import click


class CommandError(click.ClickException):
    """Root of the command line's errors: shown as one message on stderr, without a trace."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"respool: {self.message}", file=file, err=file is None)


class WrongSettings(CommandError):
    """A variable of the environment cannot be used."""

    exit_code = 2


class Unreachable(CommandError):
    """Nobody answers at the service's address, or not in the time it takes."""

    exit_code = 3


class Refused(CommandError):
    """The API said no; the message has a line for each mistake."""


class CannotRun(CommandError):
    """`up` cannot start its processes, or cannot keep them up."""
