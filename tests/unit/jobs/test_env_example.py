"""`.env.example` is the list of settings."""

import re
from dataclasses import fields
from pathlib import Path

from jobs.settings import PREFIX, Settings, read_settings
from schemas.allow import Allow

LINES = (Path(__file__).parents[3] / ".env.example").read_text().splitlines()
SETTING = re.compile(r"# (RESPOOL_[A-Z_]+)=(.*)")
GIVEN = {match[1]: match[2] for line in LINES if (match := SETTING.fullmatch(line))}
OF_THE_COMMAND_LINE = {"RESPOOL_URL"}


def test_it_names_every_setting_and_no_other() -> None:
    assert GIVEN.keys() - OF_THE_COMMAND_LINE == {PREFIX + field.name.upper() for field in fields(Settings)}


def test_its_values_are_the_defaults() -> None:
    assert read_settings(GIVEN) == Settings()


def test_what_it_leaves_empty_has_no_default() -> None:
    empty = {name for name in GIVEN.keys() - OF_THE_COMMAND_LINE if GIVEN[name] == ""}
    without = {PREFIX + f.name.upper() for f in fields(Settings) if f.default in ("", (), None, Allow())}
    assert empty == without


def test_copied_as_it_is_it_changes_nothing() -> None:
    assert [line for line in LINES if line and not line.startswith("#")] == []


def test_every_setting_is_explained() -> None:
    for number, line in enumerate(LINES):
        if SETTING.fullmatch(line):
            before = LINES[number - 1]
            assert SETTING.fullmatch(before) or re.fullmatch(r"# \S.*", before), line
