from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from jobs import projects
from schemas.mistakes import flatten
from schemas.project import LIMITS, ProjectChangeSchema, ProjectListSchema


def mistakes(body: Any) -> dict[str, str]:
    try:
        assert ProjectChangeSchema().load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_may_be_set_and_taken_away(name: str) -> None:
    assert mistakes({name: 1}) == mistakes({name: None}) == {}
    for value in (-1, "1", True):
        assert list(mistakes({name: value})) == [name]


def test_a_refusal_names_field_and_bounds() -> None:
    told = mistakes({"max_queud": 1, "tokens_per_day": -1})
    assert told["max_queud"] == "unknown field; did you mean 'max_queued'?"
    assert told["tokens_per_day"].startswith("must be at least ")


def test_a_change_names_at_least_one_limit() -> None:
    assert mistakes({}) == {"": f"must name at least one of {', '.join(LIMITS)}"}


def test_the_limits_are_those_of_the_store() -> None:
    assert set(LIMITS) == set(projects.LIMIT_FIELDS)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
near = st.sampled_from([0, 0.01, 0.009, 0.0001, 1, 1.0, 100, 1000, 1001, 10**6, 10**6 + 1, 10**9, 10**12, 10**12 + 1])


@given(st.dictionaries(st.sampled_from(LIMITS), near | values, min_size=1, max_size=1))
def test_a_value_is_taken_if_and_only_if_the_store_takes_it(change: dict[str, Any]) -> None:
    refused = False
    try:
        projects.check_change(change)
    except ValueError:
        refused = True
    assert bool(mistakes(change)) == refused


def test_a_project_that_was_handed_out_fits_its_description() -> None:
    taken = {"tokens": 5, "cost": 0.5}
    project = {
        "object": "project", "id": "film", "limits": dict.fromkeys(LIMITS) | {"weight": 1.0},
        "queued": 1, "in_flight": 2, "held": taken, "today": taken, "this_month": taken, "currency": "USD",
    }  # fmt: skip
    assert ProjectListSchema().load({"object": "list", "data": [project]})
