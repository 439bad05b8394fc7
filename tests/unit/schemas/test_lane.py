from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import Schema, ValidationError

from jobs import limits
from schemas.lane import (
    LIMITS,
    MAX_PAUSE_SECONDS,
    LaneChangeSchema,
    LaneListSchema,
    LanePauseSchema,
    LaneResumeSchema,
)
from schemas.mistakes import flatten

WHY = {"reason": "x"}


def mistakes(schema: Schema, body: Any) -> dict[str, str]:
    try:
        assert schema.load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


@pytest.mark.parametrize("name", ["requests_per_minute", "tokens_per_minute", "in_flight", "burst"])
def test_a_count_is_taken_at_its_bounds_and_refused_beyond(name: str) -> None:
    for value in (1, 10**12, None):
        assert mistakes(LaneChangeSchema(), {name: value} | WHY) == {}
    for value in (0, 10**12 + 1, 1.0, "1", True):
        assert list(mistakes(LaneChangeSchema(), {name: value} | WHY)) == [name]


def test_a_refusal_names_field_and_bounds() -> None:
    assert mistakes(LaneChangeSchema(), {"in_flight": 0, "ramp_per_second": 0, "brust": 1, "reason": ""}) == {
        "in_flight": "must be at least 1 and at most 1000000000000, got 0",
        "ramp_per_second": "must be at least 0.01 and at most 100000, got 0",
        "brust": "unknown field; did you mean 'burst'?",
        "reason": "must not be empty",
    }


def test_a_change_names_a_limit_and_a_reason() -> None:
    assert mistakes(LaneChangeSchema(), {}) == {
        "reason": "is required",
        "": f"must name at least one of {', '.join(LIMITS)}",
    }


def test_the_limits_are_those_of_the_limits_file() -> None:
    assert set(LIMITS) == set(limits.LaneLimits.__dataclass_fields__)


values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
near = st.sampled_from([0, 0.01, 0.009, 1, 1.0, 100_000, 100_000.5, 10**12, 10**12 + 1])


@given(st.dictionaries(st.sampled_from(LIMITS), near | values, min_size=1, max_size=1))
def test_a_value_is_taken_if_and_only_if_the_limits_file_takes_it(change: dict[str, Any]) -> None:
    refused = False
    try:
        limits.check_change(change)
    except ValueError:
        refused = True
    assert bool(mistakes(LaneChangeSchema(), change | WHY)) == refused


@pytest.mark.parametrize("body", [{}, {"seconds": 0.5}, {"seconds": MAX_PAUSE_SECONDS, "reason": "r" * 200}])
def test_a_pause_may_have_an_end_and_a_reason(body: dict[str, Any]) -> None:
    assert mistakes(LanePauseSchema(), body) == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [({"seconds": 0}, "seconds"), ({"seconds": None}, "seconds"), ({"seconds": MAX_PAUSE_SECONDS + 1}, "seconds"),
     ({"reason": "r" * 201}, "reason"), ({"reason": "two\nlines"}, "reason"),
     ({"reason": "\x1b[2J"}, "reason"), ({"until": 1}, "until")],
)  # fmt: skip
def test_a_wrong_pause_is_refused_by_name(body: dict[str, Any], field: str) -> None:
    assert list(mistakes(LanePauseSchema(), body)) == [field]


def test_a_resume_needs_nothing() -> None:
    assert mistakes(LaneResumeSchema(), {}) == {}
    assert list(mistakes(LaneResumeSchema(), {"seconds": 1})) == ["seconds"]


def test_a_lane_that_was_handed_out_fits_its_description() -> None:
    lane = {
        "object": "lane", "id": "default:m", "account": "default", "model": "m", "state": "paused", "reason": "why",
        "paused_until": None,
        "limits": {"requests_per_minute": 300, "tokens_per_minute": None, "in_flight": 1000, "ramp_per_second": 0.5,
                   "burst": None},
        "changed": ["requests_per_minute"],
        "now": {"requests_per_minute": 150.5, "tokens_per_minute": None, "in_flight": 0},
        "in_flight": 3, "waiting": 4, "requests_last_minute": 5, "tokens_last_minute": 6,
        "run_seconds": {"p50": None, "p90": 3.5},
    }  # fmt: skip
    assert LaneListSchema().load({"object": "list", "data": [lane]})
