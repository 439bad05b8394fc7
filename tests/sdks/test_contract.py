"""The SDK against the running service, in every generation; tests/sdks/script says what is looked at."""

import pytest

from tests.factories import MODEL
from tests.fakes.drop_in import ALL, ANSWERS, BY_ID, KEY, DropIn
from tests.fakes.odd_upstream import ODDITIES
from tests.fakes.sdks import GENERATIONS, NEWEST, run_sdk_module

ROOMS = ("core", "creating", "streaming", "ending", "refusals", "reading", "files", "batches")


def failures(drop_in: DropIn, generation: int, *, models: tuple[str, ...], rooms: tuple[str, ...]) -> str:
    """The checks that did not hold, with model, name and why."""
    arguments = (drop_in.base_url, KEY, drop_in.limited_key, ",".join(models), ",".join(rooms))
    results = run_sdk_module(generation, "tests.sdks.script.run", *arguments)
    assert {name.split(":")[0] for name in results} == set(models)
    return "\n".join(f"{name}: {why}" for name, why in results.items() if why)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_the_responses_part_of_the_sdk_does_works(generation: int, drop_in: DropIn) -> None:
    assert failures(drop_in, generation, models=(MODEL,), rooms=ROOMS) == ""


def test_an_upstream_that_answers_oddly_makes_no_difference(drop_in: DropIn) -> None:
    assert failures(drop_in, NEWEST, models=(ANSWERS,), rooms=ROOMS) == ""


def test_no_single_oddity_makes_a_difference_to_what_matters_most(drop_in: DropIn) -> None:
    assert failures(drop_in, NEWEST, models=(BY_ID, *ODDITIES, ALL), rooms=("core",)) == ""
