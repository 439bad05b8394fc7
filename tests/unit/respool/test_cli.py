import pytest
from click.testing import CliRunner

from respool.cli import main


def test_it_offers_its_commands() -> None:
    assert set(main.commands) == {"up", "submit", "watch", "jobs", "keys", "lanes", "projects", "export", "backup", "restore"}


@pytest.mark.parametrize(
    "arguments",
    [
        [], ["up"], ["submit"], ["watch"], ["jobs"], ["keys"], ["keys", "create"],
        ["lanes"], ["lanes", "set"], ["lanes", "pause"], ["lanes", "resume"], ["projects"], ["projects", "set"],
    ],
)  # fmt: skip
def test_every_command_explains_itself(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, [*arguments, "--help"])
    assert shown.exit_code == 0
    assert shown.output.startswith("Usage: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ["watch"],
        ["jobs", "--status", "done"],
        ["up", "--port", "70000"],
        ["up", "--workers", "0"],
        ["submit", "no-such-file.json"],
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
    ],
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize("text", ["{nonsense", "", '{"input": NaN}', '{"input": 1, "input": 2}', "[" * 10_000])
def test_json_that_is_none_or_doubtful_ends_with_2_before_anybody_is_asked(text: str) -> None:
    refused = CliRunner().invoke(main, ["submit", "-"], input=text)
    assert refused.exit_code == 2
    assert "JSON" in refused.output or "stands twice" in refused.output
