from typing import Any

import pytest

from schemas.shape import fits, trimmed, whole_number

words = frozenset({"a", "b"})


@pytest.mark.parametrize(
    ("shape", "fitting", "others"),
    [
        (str, ["", "a"], [None, 1, []]),
        (int, [0, -1, 10**400], [True, 1.0, "1", None]),
        (float, [0, 1.5], [True, float("nan"), float("inf"), "1"]),
        (bool, [True, False], [0, 1, None]),
        (dict, [{}], [[], None]),
        (object, [True, None, "a", {}], []),
        (None, [None], [0, ""]),
        (words, ["a"], ["c", 1, ["a"], {}]),
        ([int], [[], [1, 2]], [[1, "a"], 1, {}, "a"]),
        ((str, [int]), ["a", [1]], [1, ["a"]]),
        ({str: bool}, [{}, {"x": True}], [{"x": 1}, []]),
        (
            {"a": int, "b?": str},
            [{"a": 1}, {"a": 1, "b": None, "c": []}, {"a": 1, "b": ""}],
            [{}, {"a": None}, {"a": 1, "b": 2}],
        ),
        ({"a": (int, None)}, [{"a": None}, {"a": 1}], [{"a": "x"}]),
    ],
)
def test_a_value_fits_a_shape_or_it_does_not(shape: Any, fitting: list[Any], others: list[Any]) -> None:
    assert [fits(value, shape) for value in fitting] == [True] * len(fitting)
    assert [fits(value, shape) for value in others] == [False] * len(others)


def test_optional_fields_that_do_not_fit_are_left_out() -> None:
    assert trimmed({"a": 1, "b": None, "c": 3, "d": "x"}, {"a": str, "b": str, "d": str}) == {
        "b": None,
        "c": 3,
        "d": "x",
    }


def test_a_whole_number_is_read_from_floats_too() -> None:
    numbers = [whole_number(v) for v in (3, 3.0, 3.5, "3", True, None, float("inf"), float("nan"))]
    assert numbers == [3, 3, None, None, None, None, None, None]
