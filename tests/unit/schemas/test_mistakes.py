import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.mistakes import MAX_MISTAKES, FieldError, cut, flatten, join, kind, shown


def test_nested_messages_become_paths_in_their_order() -> None:
    messages = {
        "input": {0: {"content": {1: {"fps": ["too low"], "_schema": ["needs one"]}}}},
        "model": ["unknown", "too long"],
        "_schema": ["is odd"],
    }
    assert [(m.path, m.message) for m in flatten(messages, "request")] == [
        ("request.input[0].content[1].fps", "too low"),
        ("request.input[0].content[1]", "needs one"),
        ("request.model", "unknown"),
        ("request.model", "too long"),
        ("request", "is odd"),
    ]


def test_a_lone_message_is_about_the_whole_body() -> None:
    assert flatten(["must be an object"]) == [FieldError(path="", message="must be an object")]


def test_no_more_than_a_hundred_mistakes_are_listed_and_the_rest_is_admitted() -> None:
    listed = flatten({i: ["wrong"] for i in range(MAX_MISTAKES)})
    assert len(listed) == MAX_MISTAKES
    assert listed[-1].path == "[99]"
    cut_off = flatten({i: ["wrong"] for i in range(MAX_MISTAKES + 1)}, "a")
    assert cut_off[:-1] == [FieldError(path=f"a[{i}]", message="wrong") for i in range(MAX_MISTAKES)]
    assert cut_off[-1] == FieldError(path="a", message="has more mistakes; the first 100 are listed")


@pytest.mark.parametrize(
    ("path", "key", "joined"),
    [
        ("", "a", "a"),
        ("a", "b-c", "a.b-c"),
        ("a", 3, "a[3]"),
        ("", 0, "[0]"),
        ("a", "b.c", 'a["b.c"]'),
        ("a", "", 'a[""]'),
        ("a", 'q"\n', r'a["q\"\n"]'),
        ("a", "x" * 50, 'a["' + "x" * 39 + r'\u2026"]'),
    ],
)
def test_a_path_goes_one_step_further(path: str, key: str | int, joined: str) -> None:
    assert join(path, key) == joined


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(st.text()))
def test_a_value_is_shown_short_and_on_one_line(value: object) -> None:
    assert "\n" not in shown(value)
    assert len(shown(value)) <= 6 * 40 + 2


def test_long_values_are_cut_and_huge_integers_are_not_written_out() -> None:
    assert cut("x" * 40) == "x" * 40
    assert cut("x" * 41) == "x" * 39 + "…"
    assert shown(10**5000) == "a number"
    assert [kind(v) for v in (None, True, 1, 1.5, "", [], {})] == [
        "null",
        "a boolean",
        "a number",
        "a number",
        "a string",
        "a list",
        "an object",
    ]
