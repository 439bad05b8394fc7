"""Validators whose messages name the bound that was broken. A description of the API reads the bounds off them."""

import difflib
from collections.abc import Iterable
from typing import Any

from marshmallow import ValidationError, validate

from schemas.mistakes import cut, shown

# Comparing very long names costs much and helps nobody.
_longest_guess = 64
_longest_list = 20


class Range(validate.Range):
    """A number between bounds; a bound may itself be excluded."""

    def __call__(self, value: Any) -> Any:
        try:
            super().__call__(value)
        except ValidationError:
            raise ValidationError(f"must be {self.said()}, got {shown(value)}") from None
        return value

    def said(self) -> str:
        """The bounds in words, such as `at least 0 and at most 2`."""
        low = f"{'at least' if self.min_inclusive else 'greater than'} {self.min}"
        high = f"{'at most' if self.max_inclusive else 'less than'} {self.max}"
        return " and ".join(word for word, bound in ((low, self.min), (high, self.max)) if bound is not None)


class Length(validate.Length):
    """A string, list or object with a number of characters, entries or pairs between bounds."""

    def __init__(self, unit: str, *, min: int | None = None, max: int | None = None) -> None:
        super().__init__(min=min, max=max)
        self.unit = unit

    def __call__(self, value: Any) -> Any:
        size = len(value)
        if self.min is not None and size < self.min:
            raise ValidationError("must not be empty" if size == 0 else self._broken("at least", self.min, size))
        if self.max is not None and size > self.max:
            raise ValidationError(self._broken("at most", self.max, size))
        return value

    def _broken(self, word: str, bound: int, size: int) -> str:
        return f"must have {word} {bound} {self.unit}, got {size}"


def printable(text: str) -> str:
    """For what reaches logs and terminals."""
    if not text.isprintable():
        raise ValidationError("must be one line of printable characters")
    return text


class OneOf(validate.OneOf):
    """One of a few known words; `noun` names what they are."""

    def __init__(self, choices: Iterable[str], *, noun: str = "value") -> None:
        super().__init__(choices=tuple(choices))
        self.noun = noun

    def __call__(self, value: Any) -> Any:
        if value not in self.choices:
            guess = suggestion(value, self.choices)
            raise ValidationError(f"unknown {self.noun} {shown(value)}{guess} ({self.said()})")
        return value

    def said(self) -> str:
        """What may be given: the words, or how many there are if they are too many to list."""
        words = tuple(self.choices)
        if len(words) > _longest_list:
            return f"{len(words)} are known"
        listed = ", ".join(map(cut, words))
        return f"one of these {len(words)}: {listed}" if len(words) > 1 else f"must be {listed}"


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?` with the nearest known name, or nothing if none is near."""
    if len(name) > _longest_guess:
        return ""
    by_lower_case = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower_case, n=1)
    return f"; did you mean {by_lower_case[near[0]]!r}?" if near else ""
