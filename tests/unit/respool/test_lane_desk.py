import json

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed

LANE = {
    "id": "default:a/b", "state": "paused", "reason": "tea", "paused_until": None, "changed": [], "in_flight": 1,
    "waiting": 2, "requests_last_minute": 3, "tokens_last_minute": 4, "run_seconds": {"p50": 1.5, "p90": 2},
    "now": {"requests_per_minute": 10, "tokens_per_minute": None, "in_flight": 5},
}  # fmt: skip
PATH = "/v1/lanes/default%3Aa%2Fb"


def test_a_service_elsewhere_is_asked_by_its_api() -> None:
    with answering(routed({"GET /v1/lanes": {"data": [LANE]}})) as (api, _):
        assert "default:a/b  paused  1/5" in typed(api, "lanes", "list").stdout
        assert json.loads(typed(api, "lanes", "list", "--json").stdout) == LANE


@pytest.mark.parametrize(
    ("arguments", "route", "body"),
    [
        (["pause", "--seconds", "60", "--reason", "tea"], f"POST {PATH}/pause", {"seconds": 60.0, "reason": "tea"}),
        (["pause"], f"POST {PATH}/pause", {}),
        (["resume"], f"POST {PATH}/resume", {}),
        (["set", "--burst", "5", "--unset", "in-flight", "--reason", "r"], f"PATCH {PATH}",
         {"burst": 5, "in_flight": None, "reason": "r"}),
    ],
)  # fmt: skip
def test_a_change_is_asked_for_in_the_apis_words(arguments: list[str], route: str, body: dict[str, object]) -> None:
    command, *options = arguments
    with answering(routed({route: LANE})) as (api, asked):
        done = typed(api, "lanes", command, "default:a/b", *options)
    assert done.exit_code == 0, done.output
    assert json.loads(asked[0].body or b"{}") == body
