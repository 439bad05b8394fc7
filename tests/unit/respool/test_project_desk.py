import json

from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed

PROJECT = {
    "id": "film", "queued": 1, "in_flight": 0, "today": {"tokens": 5, "cost": 0.0},
    "this_month": {"tokens": 5, "cost": 0.0}, "currency": "USD",
    "limits": {"weight": 2.0, "max_queued": 10, "max_in_flight": None, "submits_per_minute": None,
               "tokens_per_day": None, "tokens_per_month": None, "cost_per_day": None, "cost_per_month": None},
}  # fmt: skip


def test_a_service_elsewhere_is_asked_by_its_api() -> None:
    with answering(routed({"GET /v1/projects": {"data": [PROJECT]}})) as (api, _):
        assert "1/10" in typed(api, "projects", "list").stdout
        assert json.loads(typed(api, "projects", "list", "--json").stdout) == PROJECT


def test_a_change_is_asked_for_in_the_apis_words() -> None:
    with answering(routed({"PATCH /v1/projects/film": PROJECT})) as (api, asked):
        assert typed(api, "projects", "set", "film", "--weight", "2", "--tokens-per-day", "none").exit_code == 0
    assert json.loads(asked[0].body) == {"weight": 2, "tokens_per_day": None}
