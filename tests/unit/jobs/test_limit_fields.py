import re

import pytest

from jobs.limit_fields import Decimals, Whole, read_numbers, read_table, read_text

FIELDS = {"whole": Whole(low=1, high=9), "decimals": Decimals(low=0.5, high=2)}


def test_numbers_are_read_at_their_bounds() -> None:
    assert read_numbers({"whole": 1, "decimals": 0.5}, FIELDS) == {"whole": 1, "decimals": 0.5}
    assert read_numbers({"whole": 9, "decimals": 2}, FIELDS) == {"whole": 9, "decimals": 2.0}
    assert read_numbers({}, FIELDS) == {}


@pytest.mark.parametrize("value", [0, 10, 1.0, True, "1", None, [1], 10**400])
def test_what_is_no_whole_number_within_the_bounds_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"^whole must be a whole number from 1 to 9$"):
        read_numbers({"whole": value}, FIELDS)


@pytest.mark.parametrize("value", [0.49, 2.01, True, "1", None, float("nan"), float("inf"), 10**400])
def test_what_is_no_number_within_the_bounds_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=re.escape("decimals must be a number from 0.5 to 2")):
        read_numbers({"decimals": value}, FIELDS)


def test_other_fields_are_refused_beside_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="'x' is no field here; known are whole, decimals"):
        read_numbers({"whole": 1, "x": 1}, FIELDS)


def test_a_text_is_wanted_and_not_empty() -> None:
    assert read_text({"t": "x"}, "t") == "x"
    for table in ({}, {"t": ""}, {"t": 5}):
        with pytest.raises(ValueError, match=r"^t must be a string"):
            read_text(table, "t")


def test_a_table_that_is_absent_is_empty_and_one_that_is_none_is_refused() -> None:
    assert read_table({}, "t") == {}
    assert read_table({"t": {"a": 1}}, "t") == {"a": 1}
    with pytest.raises(ValueError, match=r"^t must be a table$"):
        read_table({"t": [{}]}, "t")
