import logging
from typing import Any

import pytest

from tests.factories import MODEL
from tests.fakes.bench import Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of

UNLIMITED = {
    "weight": 1.0, "max_queued": None, "max_in_flight": None, "submits_per_minute": None,
    "tokens_per_day": None, "tokens_per_month": None, "cost_per_day": None, "cost_per_month": None,
}  # fmt: skip
NOTHING = {"tokens": 0, "cost": 0.0}


def test_a_project_shows_what_it_may_take_and_holds(
    make_app: AppMaker, alice: Caller, bench: Bench, tmp_path: Any
) -> None:
    file = tmp_path / "limits.toml"
    file.write_text(f'currency = "EUR"\n[prices."{MODEL}"]\ninput = 1000\noutput = 2000\n')
    caller = Caller(make_app(limits_file=file).test_client(), alice.key)
    caller.job(estimated_tokens=1500, request={"max_output_tokens": 500})
    assert caller.get("/v1/projects/alice").json == {
        "object": "project", "id": "alice", "limits": UNLIMITED, "queued": 1, "in_flight": 0,
        "held": {"tokens": 1500, "cost": 2.0}, "today": NOTHING, "this_month": NOTHING, "currency": "EUR",
    }  # fmt: skip
    bench.beat("w1")
    bench.dispatch("w1")
    bench.claim("w1")
    under_way = caller.get("/v1/projects/alice").json
    assert (under_way["queued"], under_way["in_flight"]) == (0, 1)


def test_a_project_sees_itself_alone_and_an_admin_sees_all(alice: Caller, bob: Caller, admin: Caller) -> None:
    assert [project["id"] for project in bob.get("/v1/projects").json["data"]] == ["bob"]
    assert bob.get("/v1/projects/bob").status_code == 200
    assert [project["id"] for project in admin.get("/v1/projects").json["data"]] == ["alice", "bob", "operators"]
    assert admin.get("/v1/projects/alice").status_code == 200


@pytest.mark.parametrize("name", ["alice", "missing", "Ünfit!"])
def test_another_project_answers_like_one_that_does_not_exist(name: str, alice: Caller, bob: Caller) -> None:
    answer = bob.get(f"/v1/projects/{name}")
    assert answer.status_code == 404
    assert error_of(answer) == {
        "message": f"Project '{name}' not found.", "type": "invalid_request_error",
        "param": "project", "code": "project_not_found",
    }  # fmt: skip


def test_an_admin_is_told_that_a_project_does_not_exist(admin: Caller) -> None:
    assert admin.get("/v1/projects/missing").status_code == 404


def test_the_development_keys_project_is_there_before_its_first_job(make_app: AppMaker) -> None:
    caller = Caller(make_app(api_key="known").test_client(), "known")
    (listed,) = caller.get("/v1/projects").json["data"]
    assert (listed["id"], listed["limits"], listed["held"]) == ("default", UNLIMITED, NOTHING)
    assert caller.get("/v1/projects/default").json == listed


def test_a_change_holds_and_null_takes_it_away(admin: Caller, alice: Caller) -> None:
    changed = admin.ask("PATCH", "/v1/projects/alice", json={"weight": 2, "max_queued": 5, "cost_per_day": 0.5})
    assert changed.json["limits"] == UNLIMITED | {"weight": 2.0, "max_queued": 5, "cost_per_day": 0.5}
    assert alice.get("/v1/projects/alice").json == changed.json
    back = admin.ask("PATCH", "/v1/projects/alice", json={"max_queued": None, "weight": None})
    assert back.json["limits"] == UNLIMITED | {"cost_per_day": 0.5}


def test_a_change_makes_a_project_that_is_new(admin: Caller) -> None:
    assert admin.ask("PATCH", "/v1/projects/film", json={"tokens_per_day": 10}).json["id"] == "film"
    assert "film" in [project["id"] for project in admin.get("/v1/projects").json["data"]]


def test_only_an_admin_may_change_a_project_be_it_its_own(alice: Caller) -> None:
    for body in ({"weight": 2}, {"nonsense": 1}):
        answer = alice.ask("PATCH", "/v1/projects/alice", json=body)
        assert (answer.status_code, error_of(answer)["code"]) == (403, "admin_key_required")


@pytest.mark.parametrize(
    ("name", "body", "param", "told"),
    [
        ("film", {"max_queued": 0}, "max_queued", "at least 1"), ("film", {}, None, "at least one of weight"),
        ("film", {"wieght": 1}, "wieght", "did you mean 'weight'?"), ("Film", {"weight": 1}, "project", "a-z"),
    ],
)  # fmt: skip
def test_a_wrong_change_is_refused_by_name(
    name: str, body: dict[str, Any], param: str | None, told: str, admin: Caller
) -> None:
    answer = admin.ask("PATCH", f"/v1/projects/{name}", json=body)
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)
    assert told in error_of(answer)["message"]
    assert [project["id"] for project in admin.get("/v1/projects").json["data"]] == ["operators"]


def test_a_change_is_logged_with_who(admin: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger="api"):
        admin.ask("PATCH", "/v1/projects/film", json={"weight": 2})
    (line,) = [record.getMessage() for record in caplog.records if record.name == "api.views.projects"]
    assert line.startswith("project film set to {'weight': 2} by key_")
