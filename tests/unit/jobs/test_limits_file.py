from collections.abc import Mapping
from pathlib import Path

import pytest

from jobs.errors import SettingsError
from jobs.limits_file import read_document, read_each, read_one, read_whole

DOCUMENT = {"a": {"x": {"n": 1}, "y": {"n": 2}}, "b": 5}


def refused(*_: object) -> None:
    raise ValueError("n must be smaller")


def test_a_file_is_read_as_toml(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text('[a.x]\nname = "ü"', encoding="utf-8")
    assert read_document(path) == {"a": {"x": {"name": "ü"}}}


def test_tables_are_read_one_by_one_under_their_names() -> None:
    assert read_one(DOCUMENT, "a", lambda table: list(table)) == ["x", "y"]
    assert read_each(DOCUMENT, "a", lambda name, table: (name, table["n"])) == {"x": ("x", 1), "y": ("y", 2)}


def test_what_is_absent_is_read_as_an_empty_table() -> None:
    assert read_one({}, "a", dict) == {}
    assert read_each({}, "a", lambda name, _: name) == {}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"a": {"x": {}}}, 'RESPOOL_LIMITS_FILE: [a."x"] n must be smaller'),
        ({"a": {"x": 1}}, 'RESPOOL_LIMITS_FILE: [a."x"] x must be a table'),
        ({"a": 1}, "RESPOOL_LIMITS_FILE: a must be a table"),
    ],
)
def test_a_mistake_is_told_with_the_table_in_which_it_stands(document: Mapping[str, object], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_each(document, "a", refused)
    assert str(caught.value) == said


def test_a_mistake_outside_the_tables_is_told_as_it_is() -> None:
    with pytest.raises(SettingsError, match=r"^RESPOOL_LIMITS_FILE: n must be smaller$"):
        read_whole({}, refused)
    with pytest.raises(SettingsError, match=r"^RESPOOL_LIMITS_FILE: \[a\] n must be smaller$"):
        read_one({}, "a", refused)
