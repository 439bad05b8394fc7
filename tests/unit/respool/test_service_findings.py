from email.utils import formatdate
from typing import Any

import pytest

from respool.client import Api
from respool.service_findings import of_endpoints, of_lanes, of_projects, of_service
from respool.target import Target
from tests.fakes.redis_server import free_port
from tests.fakes.small_api import answering, routed

LANE = {"id": "default:m", "state": "open", "reason": None, "paused_until": None, "waiting": 0}
LIMITS = dict.fromkeys(("tokens_per_day", "tokens_per_month", "cost_per_day", "cost_per_month", "max_queued"))
PROJECT: dict[str, Any] = {
    "id": "film", "limits": LIMITS, "queued": 9, "today": {"tokens": 90, "cost": 0.5},
    "this_month": {"tokens": 90, "cost": 0.5},
}  # fmt: skip
ROUTES: dict[str, Any] = {
    "GET /healthz": {"status": "ok"},
    "GET /readyz": {
        "workers": {"live": 1, "slots": 5, "jobs": 0},
        "persistence": {"appendonly": True, "maxmemory_policy": "noeviction"},
    },
    "GET /v1/jobs": {"data": []}, "GET /v1/lanes": {"data": [LANE]}, "GET /v1/projects": {"data": [PROJECT]},
    "GET /v1/workers": {"data": [{"kind": "worker", "id": "w"}, {"kind": "sender", "id": "s"}]},
    "GET /v1/webhook_endpoints": {"data": []}, "GET /v1/files": {"data": []},
}  # fmt: skip


def refused(status: int, code: str) -> tuple[int, dict[str, str], Any]:
    return (status, {"Retry-After": "0"}, {"error": {"message": "no", "code": code}})


def levels(changes: dict[str, Any], *, sees_redis: bool = False) -> dict[str, str]:
    with answering(routed(ROUTES | changes)) as (api, _):
        return {found.subject: found.level for found in of_service(api, sees_redis=sees_redis)}


def test_a_service_where_all_is_well() -> None:
    found = levels({})
    assert set(found.values()) == {"ok"}
    assert {"api", "ready", "workers", "persistence", "key", "lanes", "limits", "files"} <= set(found)


def test_what_redis_itself_tells_is_not_told_twice() -> None:
    assert not {"workers", "persistence"} & set(levels({}, sees_redis=True))


@pytest.mark.parametrize(
    ("changes", "subject", "level"),
    [
        ({"GET /v1/jobs": refused(401, "invalid_api_key")}, "key", "fail"),
        ({"GET /readyz": refused(500, "store_unavailable")}, "ready", "fail"),
        ({"GET /readyz": {"workers": {"live": 0}, "persistence": None}}, "workers", "fail"),
        ({"GET /v1/files": refused(501, "files_not_configured")}, "files", "warn"),
        ({"GET /v1/lanes": refused(500, "x")}, "lanes", "warn"),
        ({"GET /healthz": (404, {}, {})}, "api", "fail"),
        ({"GET /healthz": (200, {"Date": formatdate(0, usegmt=True)}, {})}, "api clock", "fail"),
    ],
)
def test_what_is_wrong_is_found(changes: dict[str, Any], subject: str, level: str) -> None:
    assert levels(changes)[subject] == level


def test_a_service_that_is_away_is_one_fault() -> None:
    (found,) = of_service(Api(Target(url=f"http://127.0.0.1:{free_port()}", api_key="")), sees_redis=False)
    assert (found.subject, found.level) == ("api", "fail")


@pytest.mark.parametrize(
    ("state", "level"), [("open", "ok"), ("slowed", "ok"), ("paused", "warn"), ("probing", "warn")]
)
def test_a_lane_that_rests_is_told_with_its_reason(state: str, level: str) -> None:
    found = list(of_lanes([LANE | {"state": state, "reason": "invalid_api_key", "waiting": 7}]))
    assert {one.level for one in found} == {level}
    assert ("invalid_api_key; 7 jobs wait" in found[0].told) == (level == "warn")


@pytest.mark.parametrize(
    ("limit", "bound", "near"),
    [
        ("tokens_per_day", 100, True), ("tokens_per_day", 101, False), ("cost_per_month", 0.5, True),
        ("max_queued", 10, True), ("max_queued", 11, False),
    ],
)  # fmt: skip
def test_a_limit_that_is_nearly_used_up_is_told_with_what_raises_it(limit: str, bound: float, near: bool) -> None:
    (found,) = of_projects([PROJECT | {"limits": LIMITS | {limit: bound}}])
    assert (found.level == "warn") is near
    assert (f"respool projects set film --{limit.replace('_', '-')}" in found.advice) is near


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"status": "enabled", "failing_since": None}, 0), ({"status": "enabled", "failing_since": 1.0}, 1),
        ({"status": "disabled", "disabled_reason": "gone"}, 1),
        ({"status": "disabled", "disabled_reason": "by_request"}, 0),
    ],
)  # fmt: skip
def test_receivers_that_fail_are_told_and_those_that_are_off_on_purpose_are_not(
    changes: dict[str, Any], told: int
) -> None:
    assert len(list(of_endpoints([{"id": "we_1", "url": "https://h", **changes}]))) == told


def test_an_admin_is_told_of_processes_that_take_nothing_up_and_of_senders_that_miss() -> None:
    stalled = {"kind": "worker", "id": "w", "stalled": True, "host": "h", "pid": 1}
    found = levels({"GET /v1/workers": {"data": [stalled]}})
    assert (found["worker w"], found["senders"]) == ("fail", "warn")
    assert "worker w" not in levels({"GET /v1/workers": {"data": [stalled]}}, sees_redis=True)
    assert set(levels({"GET /v1/workers": refused(403, "forbidden")}).values()) == {"ok"}


def test_while_the_store_is_away_nothing_that_needs_it_is_asked_for() -> None:
    found = levels(
        {"GET /readyz": refused(500, "store_unavailable"), "GET /v1/jobs": refused(500, "store_unavailable")}
    )
    assert found["ready"] == "fail"
    assert "key" not in found
