import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import click
import pytest
from click.testing import CliRunner

from respool.command_table import CommandTable
from respool.errors import Refused, Unreachable
from respool.exits import Exit
from tests.fakes.processes import CLEAN


def table(act: Callable[[], object]) -> CommandTable:
    """A table whose one command does that."""

    class One(CommandTable):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
            return click.Command("act", callback=act)

    return One(table={})


def raising(error: BaseException) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (Refused("no"), Exit.FAILED),
        (Unreachable("gone"), Exit.NO_SERVICE),
        (click.UsageError("how?"), Exit.WRONG_USAGE),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
        (BrokenPipeError(), Exit.PIPE_CLOSED),
        (click.exceptions.Exit(7), 7),
    ],
)
def test_the_code_is_that_of_what_ended_the_command(error: BaseException, code: int) -> None:
    program = (
        "from tests.unit.respool.test_command_table import *\n"
        f"table(raising({type(error).__module__}.{type(error).__qualname__}({_arguments(error)}))).main(['act'])"
    )
    assert run(program).returncode == code


def _arguments(error: BaseException) -> str:
    if isinstance(error, click.exceptions.Exit):
        return str(error.exit_code)
    return repr(error.message) if isinstance(error, click.ClickException) else ""


def run(program: str) -> subprocess.CompletedProcess[str]:
    program = "import builtins, click, respool.errors\n" + program
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=CLEAN, timeout=30, check=False
    )


def test_whatever_a_command_returns_it_has_ended_well() -> None:
    assert CliRunner().invoke(table(lambda: "text"), ["act"]).exit_code == Exit.DONE


def test_an_error_is_one_message_on_stderr() -> None:
    ended = CliRunner().invoke(table(raising(Refused("no way"))), ["act"])
    assert (ended.stdout, ended.stderr) == ("", "respool: no way\n")


def test_what_the_encoding_lacks_is_escaped() -> None:
    program = (
        "from tests.unit.respool.test_command_table import *\n"
        "table(lambda: print('Gr\\u00fc\\u00dfe \\ud800')).main(['act'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, env=CLEAN | {"PYTHONIOENCODING": "ascii"}, timeout=30, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"Gr\\xfc\\xdfe \\ud800\n")


def ended(code: str, stdout: int | IO[bytes], **more: Any) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", f"import sys; from respool.cli import main; sys.argv[1:] = {code}; main()"]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, env=CLEAN, check=False, timeout=30, **more)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_in_one_line() -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = ended("['--help']", full)
    assert (done.returncode, done.stderr) == (1, b"respool: cannot go on: No space left on device\n")


def test_help_that_nobody_reads_ends_as_any_other_output() -> None:
    read, write = os.pipe()
    os.close(read)
    done = ended("['--help']", write)
    os.close(write)
    assert (done.returncode, done.stderr) == (Exit.PIPE_CLOSED, b"")


def test_a_table_that_nobody_reads_ends_as_any_other_output(capfd: pytest.CaptureFixture[str]) -> None:
    read, write = os.pipe()
    os.close(read)
    act = "print_table(text_table(('id', 'note'), [('1', 'x')]))"
    code = (
        "import click; from respool.command_table import CommandTable; "
        "from respool.tables import print_table, text_table; "
        f"T = type('T', (CommandTable,), {{'get_command': lambda *_: click.Command('a', callback=lambda: {act})}}); "
        "T(table={}).main(['a'])"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, env=CLEAN, check=False)
    os.close(write)
    assert (done.returncode, done.stderr) == (Exit.PIPE_CLOSED, b"")


def test_closed_streams_are_no_reason_to_stop() -> None:
    def close() -> None:
        for descriptor in range(3):
            os.close(descriptor)

    assert ended("['submit', '-']", subprocess.DEVNULL, preexec_fn=close).returncode == Exit.WRONG_USAGE


def test_an_error_cannot_steer_the_terminal() -> None:
    done = CliRunner().invoke(table(raising(click.UsageError("no file \x07\x9b2J"))), ["act"])
    assert "no file \ufffd\ufffd2J" in done.stderr
