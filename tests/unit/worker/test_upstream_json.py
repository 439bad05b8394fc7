import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.upstream_json import parse_object


def read(value: str) -> Any:
    """What is read of the JSON text `value`, a field of an object."""
    return parse_object(b'{"x": %s}' % value.encode())["x"]


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999", "9" * 400, "-" + "9" * 5000])
def test_what_no_double_holds_is_null(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
def test_an_integer_of_64_bits_stays_exact(number: int) -> None:
    found = read(str(number))
    assert (found, type(found)) == (number, int)


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 10**30])
def test_a_larger_integer_becomes_a_float(number: int) -> None:
    found = read(str(number))
    assert (found, type(found)) == (float(number), float)


@pytest.mark.parametrize("text", [r'"hi \ud83d"', r'"hi \ude00"', r'"hi \ud83dthere"', r'["\udfff"]', r'{"\ud800": 1}'])
def test_half_of_a_surrogate_pair_is_replaced(text: str) -> None:
    written = json.dumps(read(text), ensure_ascii=False)
    assert "�" in written
    assert written.encode()


def test_half_of_a_surrogate_pair_in_the_name_of_a_field_is_replaced() -> None:
    assert parse_object(rb'{"\ud800": 1}') == {"�": 1}


def test_half_of_a_surrogate_pair_as_bytes_is_replaced() -> None:
    assert parse_object(b'{"x": "a\xed\xa0\xbdb"}') == {"x": "a�b"}


def test_a_whole_surrogate_pair_is_its_character() -> None:
    assert read(r'"\ud83d\ude00 é"') == "😀 é"


@pytest.mark.parametrize(("inside", "outside"), [("[", "]"), ('{"a":', "}")])
def test_nesting_is_read_up_to_a_hundred_levels(inside: str, outside: str) -> None:
    assert read(inside * 99 + "1" + outside * 99)
    with pytest.raises(ValueError, match="deep"):
        read(inside * 100 + "1" + outside * 100)


def test_nesting_beyond_all_reason_is_refused_like_any() -> None:
    with pytest.raises(ValueError, match="deep"):
        read("[" * 100_000 + "]" * 100_000)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"1", b'"x"', b"null", b"\xff", b"<html>"])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the message is Python's own here
        parse_object(data)


@given(st.dictionaries(st.text(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8,
)))  # fmt: skip
def test_whatever_is_read_can_be_written_as_strict_json(value: dict[str, Any]) -> None:
    found = parse_object(json.dumps(value).encode())
    assert parse_object(json.dumps(found, allow_nan=False, ensure_ascii=False).encode()) == found


def test_floats_stay_as_they_are() -> None:
    assert (read("1.5"), read("1e300"), math.copysign(1, read("-0.0"))) == (1.5, 1e300, -1)
