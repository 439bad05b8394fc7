from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.estimate import JobEstimateSchema


def estimate(**changes: Any) -> dict[str, Any]:
    return {
        "object": "job.estimate",
        "model": "m",
        "tokens": {"input": 1, "output": 2, "total": 3},
        "cost": 0.5,
        "currency": "USD",
        "position": 1,
        "jobs_ahead": 0,
        "eta": {"p50_seconds": 0, "p90_seconds": 1.5},
        "waiting_reason": None,
        "refused_by": None,
    } | changes


@pytest.mark.parametrize("changes", [{}, {"cost": None}, {"eta": None, "position": None, "jobs_ahead": None}])
def test_an_estimate_that_was_handed_out_fits_its_description(changes: dict[str, Any]) -> None:
    assert JobEstimateSchema().load(estimate(**changes))


@pytest.mark.parametrize("changes", [{"position": 0}, {"jobs_ahead": -1}, {"tokens": None}, {"eta": {}}])
def test_nonsense_does_not(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        JobEstimateSchema().load(estimate(**changes))
