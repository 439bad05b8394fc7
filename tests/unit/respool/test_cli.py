import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from respool.cli import COMMANDS, main
from tests.fakes.processes import CLEAN


def test_it_offers_its_commands() -> None:
    assert set(main.list_commands(click.Context(main))) == {
        "up", "submit", "watch", "jobs", "show", "cancel", "retry", "batch", "usage", "export", "lanes", "projects",
        "keys", "webhooks", "backup", "restore", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_the_line_in_the_list_is_how_the_commands_own_help_begins(name: str) -> None:
    command = main.get_command(click.Context(main), name)
    assert command is not None
    assert command.get_short_help_str(limit=300).startswith(COMMANDS[name].help.removesuffix("."))


def all_commands() -> Iterator[list[str]]:
    for name in COMMANDS:
        yield [name]
        command = main.get_command(click.Context(main), name)
        yield from ([name, inner] for inner in getattr(command, "commands", {}))


@pytest.mark.parametrize("arguments", [[], *all_commands()], ids=" ".join)
def test_every_command_explains_itself(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, [*arguments, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")


@pytest.mark.parametrize("arguments", [words for words in all_commands() if words[0] not in ("up", "watch", "cancel")])
def test_what_shows_something_shows_it_as_json_too(arguments: list[str]) -> None:
    silent = (["batch"], ["lanes"], ["projects"], ["keys"], ["webhooks"], ["batch", "results"], ["webhooks", "remove"],
              ["webhooks", "enable"], ["webhooks", "disable"], ["export"])  # fmt: skip
    shown = CliRunner().invoke(main, [*arguments, "--help"]).output
    assert ("--json" in shown) == (arguments not in silent)


def test_help_is_there_without_a_librarys_start_up_time() -> None:
    program = (
        "import sys, respool.cli\n"
        "try: respool.cli.main(['--help'])\n"
        "except SystemExit: print(*{'redis', 'requests', 'rich', 'marshmallow', 'flask'} & set(sys.modules), 'loaded')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=CLEAN, check=True)
    assert done.stdout.splitlines()[-1].strip() == "loaded"


@pytest.mark.parametrize(
    "arguments",
    [
        ["watch"],
        ["jobs", "--status", "done"],
        ["up", "--port", "70000"],
        ["up", "--workers", "0"],
        ["submit", "no-such-file.json"],
        ["submit"],
        ["submit", "-m", "m"],
        ["submit", "-", "-m", "m"],
        ["submit", "-p", "x", "--fps", "1"],
        ["jobs", "--since", "soon"],
        ["jobs", "--metadata", "customer"],
        ["usage", "--from", "yesterday"],
        ["usage", "--csv", "--json"],
        ["batch", "submit", "no-such-file.jsonl"],
        ["webhooks", "replay"],
        ["webhooks", "replay", "dlv_1", "--since", "1h"],
        ["no-such-command"],
        ["keys", "revoke"],
        ["submit", "-", "--priority", "10"],
        ["lanes", "set", "default:m"],
        ["lanes", "set", "default:m", "--reason", "why"],
        ["lanes", "set", "default:m", "--burst", "x", "--reason", "why"],
        ["lanes", "set", "default:m", "--unset", "colour", "--reason", "why"],
        ["lanes", "pause"],
        ["lanes", "pause", "default:m", "--seconds", "0"],
        ["projects", "set", "film"],
        ["projects", "set", "film", "--weight", "much"],
        ["export", "files"],
        ["export", "usage", "--from", "2026-11-23", "--to", "2026-11-22"],
        ["export", "jobs", "--to", "9999-12-31"],
        ["restore", "no-such-folder", "--data", "x"],
        ["restore", "."],
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize("text", ["{nonsense", "", '{"input": NaN}', '{"input": 1, "input": 2}', "[" * 10_000])
def test_json_that_is_none_or_doubtful_ends_with_2_before_anybody_is_asked(text: str) -> None:
    refused = CliRunner().invoke(main, ["submit", "-"], input=text)
    assert refused.exit_code == 2
    assert "JSON" in refused.output or "stands twice" in refused.output
