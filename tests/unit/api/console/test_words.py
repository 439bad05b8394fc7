import pytest

from api.console import words


@pytest.mark.parametrize(
    ("seconds", "told"),
    [(None, "–"), (0, "0 s"), (0.0862, "0.086 s"), (1.25, "1.2 s"), (59.4, "59 s"), (60, "1 min"), (185, "3 min 5 s"),
     (7440, "2 h 4 min"), (90000, "1 d 1 h")],
)  # fmt: skip
def test_a_length_of_time_is_told_in_the_units_that_fit(seconds: float | None, told: str) -> None:
    assert words.lasting(seconds) == told


@pytest.mark.parametrize(("number", "told"), [(None, "–"), (0, "0"), (12345, "12,345"), (0.25, "0.2"), (7.0, "7")])
def test_a_number_is_told_with_its_thousands(number: float | None, told: str) -> None:
    assert words.count(number) == told


@pytest.mark.parametrize(
    ("amount", "told"),
    [(None, "–"), (0, "0.00 USD"), (0.2668, "0.2668 USD"), (0.00042, "0.000420 USD"), (1234.5, "1,234.50 USD")],
)
def test_a_small_amount_keeps_its_digits(amount: float | None, told: str) -> None:
    assert words.money(amount, "USD") == told


@pytest.mark.parametrize(
    ("number", "told"), [(0, "0 B"), (512, "512 B"), (1536, "1.54 kB"), (20_000_000, "20 MB"), (5e12, "5,000 GB")]
)
def test_a_size_is_told_in_the_unit_that_fits(number: int, told: str) -> None:
    assert words.size(number) == told


def test_a_moment_is_told_in_utc() -> None:
    assert words.when(0) == "1970-01-01 00:00:00 UTC"
    assert words.when(None) == "–"
