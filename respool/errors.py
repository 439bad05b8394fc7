"""What ends a command early; `exit_code` is what the shell sees (`respool.exits`)."""

from __future__ import annotations

from typing import IO, Any

import click

from respool.exits import Exit


class CommandError(click.ClickException):
    """Root of the command line's errors: shown as one message on stderr, without a trace."""

    exit_code = Exit.FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"respool: {self.message}", file=file, err=file is None)


class WrongSettings(CommandError):
    """A variable of the environment cannot be used."""

    exit_code = Exit.WRONG_USAGE


class Unreachable(CommandError):
    """Nobody answers at the service's address, or not in the time it takes."""

    exit_code = Exit.NO_SERVICE


class Refused(CommandError):
    """The API said no: one line, or where there are several mistakes one for each of them.

    `http_status` and `code` are the API's, where it was asked at all.
    """

    def __init__(self, message: str, *, http_status: int | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code


class CannotRun(CommandError):
    """`up` cannot start its processes, or cannot keep them up."""
