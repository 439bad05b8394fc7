import logging
from typing import Any
from urllib.parse import quote

import pytest

from schemas.lane import LIMITS
from tests.factories import MODEL
from tests.fakes.bench import Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of

LANE = f"default:{MODEL}"
ODD = ["default:a b/c", "default:a/pause", "default:a/", "default:a//b", "default:ä?#%2F", "default:a:b", "default: "]
CHANGE = {"requests_per_minute": 300, "reason": "the account was upgraded"}
STEPS = [("PATCH", "", CHANGE), ("POST", "/pause", {}), ("POST", "/resume", {})]


def path(lane: str, more: str = "") -> str:
    return f"/v1/lanes/{quote(lane, safe='')}{more}"


def lane_of(caller: Caller, name: str) -> dict[str, Any]:
    found = caller.get(path(name))
    assert found.status_code == 200, found.text
    return dict(found.json)


def test_a_lane_shows_its_limits_and_what_it_does(alice: Caller, bench: Bench) -> None:
    bench.run_one(model=MODEL)
    bench.submit(model=MODEL)
    lane = lane_of(alice, LANE)
    assert (lane["object"], lane["id"], lane["account"], lane["model"]) == ("lane", LANE, "default", MODEL)
    assert (lane["state"], lane["reason"], lane["paused_until"], lane["changed"]) == ("open", None, None, [])
    assert lane["limits"] == dict.fromkeys(LIMITS) | {"in_flight": 1000}
    assert lane["now"] == {"requests_per_minute": None, "tokens_per_minute": None, "in_flight": 1000}
    assert (lane["in_flight"], lane["waiting"], lane["requests_last_minute"]) == (1, 1, 1)
    assert lane["run_seconds"] == {"p50": None, "p90": None}


def test_the_list_has_the_lanes_of_late_and_of_the_limits_file(
    make_app: AppMaker, alice: Caller, bench: Bench, tmp_path: Any
) -> None:
    file = tmp_path / "limits.toml"
    file.write_text('[lanes."default:named"]\nin_flight = 7\n')
    bench.run_one(model="used", project="alice")
    bench.run_one(model="secret", project="bob")
    listed = Caller(make_app(limits_file=file).test_client(), alice.key).get("/v1/lanes").json
    assert listed["object"] == "list"
    assert {lane["id"]: lane["limits"]["in_flight"] for lane in listed["data"]} == {
        "default:named": 7,
        "default:used": 1000,
    }, "what another project calls its models is its own"


def test_a_change_holds_and_null_takes_it_back(admin: Caller, alice: Caller) -> None:
    changed = admin.ask("PATCH", path(LANE), json=CHANGE | {"ramp_per_second": 0.5})
    assert (changed.status_code, changed.json["limits"]["requests_per_minute"]) == (200, 300)
    assert set(changed.json["changed"]) == {"requests_per_minute", "ramp_per_second"}
    assert lane_of(alice, LANE) == changed.json
    back = admin.ask("PATCH", path(LANE), json={"requests_per_minute": None, "reason": "no longer"})
    assert (back.json["changed"], back.json["limits"]["requests_per_minute"]) == (["ramp_per_second"], None)


def test_a_paused_lane_starts_nothing_until_it_is_resumed(admin: Caller, alice: Caller, bench: Bench) -> None:
    paused = admin.post(path(LANE, "/pause"), json={"reason": "maintained"})
    assert (paused.json["state"], paused.json["reason"], paused.json["paused_until"]) == ("paused", "maintained", None)
    alice.job()
    bench.beat("w1")
    assert bench.dispatch("w1").released == 0
    assert admin.post(path(LANE, "/resume")).json["state"] == "open"
    assert bench.dispatch("w1").released == 1


def test_a_pause_may_have_an_end(admin: Caller) -> None:
    paused = admin.post(path(LANE, "/pause"), json={"seconds": 60}).json
    assert paused["state"] == "paused"
    assert paused["paused_until"] > 0


@pytest.mark.parametrize("name", ODD)
def test_a_lane_may_have_any_name_that_a_model_may_have(name: str, admin: Caller) -> None:
    assert admin.ask("PATCH", path(name), json=CHANGE).json["id"] == name
    assert admin.post(path(name, "/pause")).json["state"] == "paused"
    assert lane_of(admin, name)["state"] == "paused"
    assert admin.post(path(name, "/resume")).json["id"] == name
    assert lane_of(admin, name)["limits"]["requests_per_minute"] == 300
    assert name in [lane["id"] for lane in admin.get("/v1/lanes").json["data"]]


def test_a_slash_needs_no_escape(admin: Caller) -> None:
    assert admin.get("/v1/lanes/default:a/b").json["id"] == "default:a/b"


@pytest.mark.parametrize(("method", "more", "body"), [("GET", "", None), *STEPS])
@pytest.mark.parametrize("name", ["nobody:m", "m", "default:", ":", ":m"])
def test_what_is_no_lane_is_not_found(method: str, more: str, body: Any, name: str, admin: Caller) -> None:
    answer = admin.ask(method, path(name, more), json=body)
    assert answer.status_code == 404
    assert (error_of(answer)["code"], error_of(answer)["param"]) == ("lane_not_found", "lane")


@pytest.mark.parametrize(("method", "more", "body"), STEPS)
def test_only_an_admin_may_change_a_lane(method: str, more: str, body: Any, alice: Caller) -> None:
    for given in (body, {"nonsense": 1}):
        answer = alice.ask(method, path(LANE, more), json=given)
        assert answer.status_code == 403
        assert (error_of(answer)["code"], error_of(answer)["type"]) == ("admin_key_required", "permission_error")
    assert lane_of(alice, LANE)["state"] == "open"
    assert lane_of(alice, LANE)["changed"] == []


@pytest.mark.parametrize(
    ("body", "param", "told"),
    [
        ({"in_flight": 0, "reason": "x"}, "in_flight", "at least 1 and at most"),
        ({"in_flight": 1}, "reason", "is required"),
        ({"reason": "x"}, None, "at least one of requests_per_minute"),
        ({"brust": 1, "reason": "x"}, "brust", "did you mean 'burst'?"),
        ({"requests_per_minute": 5, "burst": 5, "reason": "x"}, "burst", "smaller than requests_per_minute"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused_by_name(body: dict[str, Any], param: str, told: str, admin: Caller) -> None:
    answer = admin.ask("PATCH", path(LANE), json=body)
    assert (answer.status_code, error_of(answer)["param"] or None) == (400, param)
    assert told in str(answer.json)
    assert lane_of(admin, LANE)["changed"] == []


def test_a_burst_must_fit_the_rate_that_was_set_before(admin: Caller) -> None:
    admin.ask("PATCH", path(LANE), json=CHANGE)
    refused = admin.ask("PATCH", path(LANE), json={"burst": 300, "reason": "x"})
    assert (refused.status_code, error_of(refused)["param"]) == (400, "burst")
    assert admin.ask("PATCH", path(LANE), json={"burst": 299, "reason": "x"}).status_code == 200


def test_a_body_that_is_there_must_be_json(admin: Caller) -> None:
    assert admin.post(path(LANE, "/pause"), data=b"", content_type="text/plain").status_code == 200
    assert admin.post(path(LANE, "/pause"), data=b"x", content_type="text/plain").status_code == 415
    assert admin.post(path(LANE, "/resume"), data=b"[]", content_type="application/json").status_code == 400
    assert admin.post(path(LANE, "/pause"), json={"seconds": 0}).status_code == 400
    assert admin.ask("PATCH", path(LANE), data=b"").status_code == 415


def test_a_change_is_logged_with_who_and_why(admin: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="api"):
        admin.ask("PATCH", path(LANE), json=CHANGE | {"burst": None})
        admin.post(path(LANE, "/pause"), json={"seconds": 1.5, "reason": "it's slow"})
        admin.post(path(LANE, "/resume"))
    lines = [record.getMessage() for record in caplog.records if record.name == "api.views.lanes"]
    key = next(line for line in lines).partition(" by ")[2].partition(":")[0]
    assert key.startswith("key_")
    assert lines == [
        f"lane '{LANE}' set requests_per_minute 300, burst as the file says by {key}: 'the account was upgraded'",
        f"lane '{LANE}' paused for 1.5 s by {key}: \"it's slow\"",
        f"lane '{LANE}' resumed by {key}: ''",
    ]
