import math
import sys
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.prices import MOST_NANO, NANO, Price, amount, read_price

PRICE = Price(input=0.8, cached=0.16, output=8.0)
counts = st.integers(0, 10**7)
prices = st.one_of(st.integers(0, 10**6), st.floats(0, 10**6))


def usage(*, read: int, cached: int = 0, written: int = 0) -> dict[str, Any]:
    details = {"cached_tokens": cached, "cache_write_tokens": 0}
    return {"input_tokens": read, "input_tokens_details": details, "output_tokens": written}


@pytest.mark.parametrize(
    ("given_usage", "nano"),
    [
        (usage(read=0), 0),
        (usage(read=1), 800),
        (usage(read=1, cached=1), 160),
        (usage(read=1_000_000), 800_000_000),
        (usage(read=1000, cached=400, written=10), 600 * 800 + 400 * 160 + 10 * 8000),
        (usage(read=3, cached=5), 3 * 160),
    ],
)
def test_cached_tokens_are_part_of_the_input_and_have_their_own_price(given_usage: dict[str, Any], nano: int) -> None:
    assert PRICE.nano(given_usage) == nano


def test_an_estimate_counts_no_token_as_cached() -> None:
    assert PRICE.nano_of(input_tokens=1000, output_tokens=100) == 800_000 + 800_000


@given(price=prices, tokens=counts)
def test_a_cost_is_exact_to_the_nano_unit_for_what_was_written_as_the_price(price: float, tokens: int) -> None:
    exact = Fraction(str(price)) * tokens * 1000
    found = Price(input=price, cached=price, output=0).nano_of(input_tokens=tokens, output_tokens=0)
    assert abs(found - min(exact, MOST_NANO)) <= Fraction(1, 2)


@given(prices, prices, counts, counts)
def test_costs_are_summed_before_they_are_rounded(first: float, second: float, read: int, written: int) -> None:
    exact = (Fraction(str(first)) * read + Fraction(str(second)) * written) * 1000
    found = Price(input=first, cached=0, output=second).nano_of(input_tokens=read, output_tokens=written)
    assert found == min(math.floor(exact + Fraction(1, 2)), MOST_NANO)


def test_a_tenth_is_a_tenth_however_often() -> None:
    price = Price(input=0.1, cached=0.1, output=0)
    assert [price.nano_of(input_tokens=n, output_tokens=0) for n in range(1000)] == [100 * n for n in range(1000)]


def test_no_count_makes_a_cost_that_a_double_cannot_hold() -> None:
    assert Price(input=10**6, cached=0, output=10**6).nano(usage(read=10**300, written=10**300)) == MOST_NANO
    assert 2**sys.float_info.mant_dig >= 9 * MOST_NANO


def test_half_a_nano_unit_is_rounded_up() -> None:
    assert Price(input=0.0005, cached=0, output=0).nano_of(input_tokens=1, output_tokens=0) == 1
    assert Price(input=0.0004, cached=0, output=0).nano_of(input_tokens=1, output_tokens=0) == 0


def test_input_from_a_cache_costs_as_other_input_where_nothing_else_is_said() -> None:
    assert read_price({"input": 2, "output": 0}) == Price(input=2.0, cached=2.0, output=0.0)
    assert read_price({"input": 0.8, "cached": 0, "output": 10**6}) == Price(input=0.8, cached=0.0, output=10.0**6)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"output": 1}, "input is required"),
        ({"input": 1}, "output is required"),
        ({"input": -0.1, "output": 1}, "input must be a number from 0 to 1000000"),
        ({"input": 1, "output": 1_000_001}, "output must be a number from 0 to 1000000"),
        ({"input": 1, "output": True}, "output must be a number"),
        ({"input": 1, "output": 1, "cached": float("nan")}, "cached must be a number"),
        ({"inputs": 1}, "'inputs' is no field here"),
    ],
)
def test_a_mistake_names_its_field(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        read_price(table)


def test_an_amount_is_in_units_of_the_currency() -> None:
    assert amount(NANO) == 1.0
    assert amount(123_456) == 0.000123456
    assert amount(0) == 0
