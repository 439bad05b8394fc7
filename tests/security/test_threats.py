"""Every threat of SECURITY.md has a defence and a test, and both are there."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
ROW = re.compile(r"\| (T\d+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
QUOTED = re.compile(r"`([^`]+)`")
ROWS = {
    row[1]: row.groups()[1:]
    for line in (CHECKOUT / "SECURITY.md").read_text().splitlines()
    if (row := ROW.fullmatch(line))
}


def test_no_threat_is_missing() -> None:
    assert list(ROWS) == [f"T{number}" for number in range(1, 31)]


@pytest.mark.parametrize("threat", ROWS)
def test_a_threat_has_a_defence_and_a_test(threat: str) -> None:
    _, defence, tests = ROWS[threat]
    places = [word for word in QUOTED.findall(defence) if "/" in word]
    named = QUOTED.findall(tests)
    assert places
    assert named
    for place in places:
        assert (CHECKOUT / place).is_file(), place
    for name in named:
        file, _, function = name.partition("::")
        assert re.search(rf"^def {function}\(", (CHECKOUT / file).read_text(), re.MULTILINE), name


def test_every_setting_that_is_named_exists() -> None:
    named = set(re.findall(r"RESPOOL_[A-Z_]+", (CHECKOUT / "SECURITY.md").read_text()))
    assert len(named) > 5
    example = (CHECKOUT / ".env.example").read_text()
    assert [name for name in sorted(named) if f"# {name}=" not in example] == []
