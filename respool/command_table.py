"""A group of commands that are imported when they are asked for, and how it ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import import_module
from io import StringIO, TextIOWrapper
from typing import Any, NamedTuple, NoReturn

import click

from respool.errors import CommandError
from respool.exits import Exit
from respool.visible import shown


class Entry(NamedTuple):
    """Where a command is (`MODULE:NAME`), and the first sentence of its help, which is shown without importing it."""

    place: str
    help: str


class CommandTable(click.Group):
    """Of the commands of `table`. Ends the process with a code of `Exit`, whatever ended the command."""

    def __init__(self, *args: Any, table: Mapping[str, Entry], **options: Any) -> None:
        super().__init__(*args, **options)
        self.table = table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.table)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.table:
            return None
        module, _, name = self.table[cmd_name].place.partition(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # nosec B101  # the table names no others
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in self.table.items()])

    def make_context(self, *args: Any, **options: Any) -> click.Context:
        with _written():
            return super().make_context(*args, **options)  # prints help

    def invoke(self, ctx: click.Context) -> Any:
        with _written():
            return super().invoke(ctx)

    def main(self, *args: Any, **options: Any) -> NoReturn:
        _show_anything()
        try:
            code = super().main(*args, **options | {"standalone_mode": False})
        except click.ClickException as error:
            _tell(error)
            code = error.exit_code
        except click.Abort:
            code = Exit.INTERRUPTED
        sys.exit(int(code) if isinstance(code, int) else Exit.DONE)


@contextmanager
def _written() -> Iterator[None]:
    """Raises Exit once nobody reads the output any more, and CommandError where the machine refuses to take it."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _let_go(sys.stdout.fileno())
        raise click.exceptions.Exit(Exit.PIPE_CLOSED) from None
    except OSError as error:
        _let_go(sys.stdout.fileno())
        where = f"{error.filename}: " if error.filename else ""
        raise CommandError(f"cannot go on: {where}{error.strerror or error}") from error


def _tell(error: click.ClickException) -> None:
    """On stderr, and without what steers a terminal: an argument may be the name of somebody else's file."""
    text = StringIO()
    error.show(text)
    click.echo(shown(text.getvalue()), err=True, nl=False)


def _let_go(descriptor: int) -> None:
    """What is still to be flushed at the end of the process goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, descriptor)
    os.close(nowhere)


def _show_anything() -> None:
    """Neither characters that the terminal's encoding lacks nor a closed stream is a reason to stop."""
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r" if name == "stdin" else "w"))  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
