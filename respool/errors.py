"""What ends a command early; `exit_code` is what the shell sees (`respool.exits`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click

from respool.exits import Exit
from respool.visible import shown


class CommandError(click.ClickException):
    """Root of the command line's errors: shown as one message on stderr, without a trace."""

    exit_code = Exit.FAILED

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"respool: {shown(self.message)}", file=file, err=file is None)


class WrongSettings(CommandError):
    """A variable of the environment cannot be used."""

    exit_code = Exit.WRONG_USAGE


class Unreachable(CommandError):
    """Nobody answers at the service's address, or not in the time it takes."""

    exit_code = Exit.NO_SERVICE


class Refused(CommandError):
    """The API said no: one line, or where there are several mistakes one for each of them.

    `http_status`, `code` and `param` are the API's, where it was asked at all.
    """

    def __init__(
        self, message: str, *, http_status: int | None = None, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.code = code
        self.param = param


class CannotRun(CommandError):
    """`up` cannot start its processes, or cannot keep them up."""


@contextmanager
def understood() -> Iterator[None]:
    """Around the reading of what a service answered, whose shape nobody has checked. Raises Refused."""
    try:
        yield
    except (ArithmeticError, LookupError, AttributeError, TypeError, ValueError) as error:
        raise Refused(
            "the service answered with something that is not understood here; is it of this release?"
        ) from error
