from collections.abc import Callable
from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.bounds import Length, OneOf, Range, suggestion


def message(rule: Callable[[Any], object], value: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        rule(value)
    (text,) = caught.value.messages
    return str(text)


@pytest.mark.parametrize(
    ("bounds", "inside", "outside", "said"),
    [
        (Range(min=0, max=2), (0, 2, 0.0, 1.5), (-0.1, 2.1), "must be at least 0 and at most 2, got "),
        (Range(min=1), (1, 10**9), (0, -5), "must be at least 1, got "),
        (Range(max=1), (1, -5), (1.01,), "must be at most 1, got "),
        (Range(min=0, min_inclusive=False), (1e-9,), (0, -1), "must be greater than 0, got "),
        (Range(max=5, max_inclusive=False), (4.9,), (5,), "must be less than 5, got "),
    ],
)
def test_a_range_takes_its_bounds_and_names_them(
    bounds: Range, inside: tuple[float, ...], outside: tuple[float, ...], said: str
) -> None:
    for value in inside:
        assert bounds(value) == value
    for value in outside:
        assert message(bounds, value) == f"{said}{value}"


def test_a_length_takes_its_bounds_and_names_them() -> None:
    rule = Length("pairs", min=2, max=3)
    assert rule("ab") == "ab"
    assert rule([1, 2, 3]) == [1, 2, 3]
    assert message(rule, "a") == "must have at least 2 pairs, got 1"
    assert message(rule, "abcd") == "must have at most 3 pairs, got 4"
    assert message(rule, "") == "must not be empty"


def test_an_unknown_word_is_named_with_the_nearest_known_one() -> None:
    rule = OneOf(("auto", "disabled"), noun="truncation")
    assert rule("auto") == "auto"
    assert message(rule, "disable") == (
        "unknown truncation \"disable\"; did you mean 'disabled'? (one of these 2: auto, disabled)"
    )
    assert message(OneOf(("text",)), "x") == 'unknown value "x" (must be text)'


def test_many_words_are_counted_and_long_ones_are_cut() -> None:
    assert message(OneOf(f"model-{i}" for i in range(21)), "zzz").endswith("(21 are known)")
    assert "x" * 40 not in message(OneOf(("a",)), "x" * 10_000)


def test_the_nearest_name_is_found_in_any_case_and_far_ones_are_not_guessed() -> None:
    assert suggestion("max_output_token", ["model", "max_output_tokens"]) == "; did you mean 'max_output_tokens'?"
    assert suggestion("GPT-4O", ["gpt-4o"]) == "; did you mean 'gpt-4o'?"
    assert suggestion("zebra", ["model"]) == ""
    assert suggestion("a" * 65, ["a" * 65]) == ""
