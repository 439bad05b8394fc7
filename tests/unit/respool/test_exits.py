from pathlib import Path

from respool.exits import MEANING, Exit

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


def test_each_code_has_a_meaning() -> None:
    assert list(MEANING) == list(Exit)


def test_the_page_on_the_command_line_has_each_code_with_its_meaning() -> None:
    lines = DOCS.read_text(encoding="utf-8").splitlines()
    for code, meaning in MEANING.items():
        assert f"| {code.value} | {meaning} |" in lines
