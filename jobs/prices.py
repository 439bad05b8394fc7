"""What tokens cost. Money is counted in nano-units, 10^-9 of the currency, and always whole."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from jobs.limit_fields import Decimals, read_numbers

NANO = 10**9
MOST_NANO = 10**15
"""No request costs more, whatever counts an upstream tells: sums stay whole numbers where Lua counts in doubles."""

FIELDS = dict.fromkeys(("input", "cached", "output"), Decimals(low=0, high=10**6))

_NANO_PER_TOKEN = 1000
"""Of a price of one unit for a million tokens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """Of one model, in units of the currency for a million tokens; `cached` is for input read from a cache."""

    input: float
    cached: float
    output: float

    def nano(self, usage: Mapping[str, Any]) -> int:
        """The cost of a complete `usage` as in schemas/usage.py, in nano-units; its cached tokens are input too."""
        read = int(usage["input_tokens"])
        cached = min(int(usage["input_tokens_details"]["cached_tokens"]), read)
        return _nano((read - cached, self.input), (cached, self.cached), (int(usage["output_tokens"]), self.output))

    def nano_of(self, *, input_tokens: int, output_tokens: int) -> int:
        """The cost of as many tokens if none is read from a cache, in nano-units."""
        return _nano((input_tokens, self.input), (output_tokens, self.output))


def read_price(table: Mapping[str, object]) -> Price:
    """The price of one table of the limits file. Raises ValueError, which names the field."""
    values = read_numbers(table, FIELDS)
    for name in ("input", "output"):
        if name not in values:
            raise ValueError(f"{name} is required")
    return Price(input=values["input"], cached=values.get("cached", values["input"]), output=values["output"])


def amount(nano: int) -> float:
    """`nano` as a decimal number of the currency."""
    return nano / NANO


def _nano(*parts: tuple[int, float]) -> int:
    exact = sum(tokens * _exact(price) for tokens, price in parts if tokens)
    return max(0, min(math.floor(exact + Fraction(1, 2)), MOST_NANO))


@lru_cache(maxsize=1024)
def _exact(price: float) -> Fraction:
    """Nano-units a token. Through its text a float stands for what was written in the file."""
    return Fraction(str(price)) * _NANO_PER_TOKEN
