import json
import logging
from typing import Any

import pytest

from jobs.webhooks.endpoints import MOST_ENDPOINTS
from jobs.webhooks.secrets import check_secret
from schemas.allow import Allow
from tests.fakes.post_office import GONE, PostOffice
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.webhooks import ORIGIN, URL, deliveries, ended, registered

PATH = "/v1/webhook_endpoints"
EVENTS = ["response.failed", "webhook_endpoint.disabled"]


def patch(caller: Caller, endpoint: dict[str, Any], **body: Any) -> Any:
    return caller.ask("PATCH", f"{PATH}/{endpoint['id']}", json=body)


def test_a_new_endpoint_is_shown_with_its_secret_this_once(alice: Caller, store_client: Any) -> None:
    endpoint = registered(alice, events=EVENTS, include="response", description="films")
    secret = endpoint.pop("secret")
    check_secret(secret)
    created = endpoint.pop("created_at")
    assert abs(created - store_client.time()[0]) < 2
    assert endpoint == {
        "object": "webhook_endpoint", "id": endpoint["id"], "project": "alice", "url": URL, "events": EVENTS,
        "include": "response", "description": "films", "status": "enabled", "disabled_reason": None,
        "disabled_at": None, "failing_since": None, "last_success_at": None, "last_failure_at": None,
    }  # fmt: skip
    shown = alice.get(f"{PATH}/{endpoint['id']}")
    assert shown.json == endpoint | {"created_at": created}
    assert alice.get(PATH).json == {"object": "list", "data": [shown.json]}
    assert secret not in alice.get(PATH).text + patch(alice, endpoint, include="id").text


def test_an_endpoint_hears_all_events_unless_it_says_which(alice: Caller) -> None:
    assert registered(alice)["events"] is None
    assert registered(alice, events=None)["events"] is None
    endpoint = registered(alice, events=EVENTS)
    assert patch(alice, endpoint, events=None).json["events"] is None


def test_a_project_sees_its_own_endpoints_and_an_admin_sees_all(alice: Caller, bob: Caller, admin: Caller) -> None:
    own, other = registered(alice), registered(bob)
    assert [endpoint["id"] for endpoint in alice.get(PATH).json["data"]] == [own["id"]]
    assert {endpoint["id"] for endpoint in admin.get(PATH).json["data"]} == {own["id"], other["id"]}
    assert patch(admin, own, description="seen").json["description"] == "seen"
    assert registered(admin)["project"] == "operators"


@pytest.mark.parametrize("verb", ["POST", "PATCH"])
def test_an_address_that_webhooks_may_not_go_to_is_refused(verb: str, alice: Caller) -> None:
    path = PATH if verb == "POST" else f"{PATH}/{registered(alice)['id']}"
    answer = alice.ask(verb, path, json={"url": "https://127.0.0.1/"})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "url")
    assert "RESPOOL_WEBHOOK_ALLOW" in error_of(answer)["message"]
    assert all(endpoint["url"] == URL for endpoint in alice.get(PATH).json["data"])


def test_this_service_is_no_endpoint_of_its_own(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(webhook_allow=Allow.parse("localhost")).test_client(), alice.key)
    answer = caller.post(PATH, json={"url": "http://localhost/v1/jobs"})
    assert "this service itself" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "url"), ({"url": URL, "events": []}, "events"), ({"url": URL, "events": ["response.done"]}, "events[0]"),
        ({"url": URL, "description": "x" * 201}, "description"), ({"url": URL, "secret": "x"}, "secret"),
        ({"url": URL, "status": "disabled"}, "status"),
    ],
)  # fmt: skip
def test_a_wrong_endpoint_is_refused_by_name(body: dict[str, Any], param: str, alice: Caller) -> None:
    answer = alice.post(PATH, json=body)
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


def test_a_project_has_so_many_endpoints_and_is_told_the_bound(alice: Caller, bob: Caller) -> None:
    for _ in range(MOST_ENDPOINTS):
        registered(alice)
    answer = alice.post(PATH, json={"url": URL})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "too_many_endpoints")
    assert str(MOST_ENDPOINTS) in error_of(answer)["message"]
    registered(bob)


def test_a_disabled_endpoint_hears_nothing_until_it_is_enabled(alice: Caller) -> None:
    endpoint = registered(alice)
    ended(alice)
    disabled = patch(alice, endpoint, status="disabled").json
    assert (disabled["status"], disabled["disabled_reason"]) == ("disabled", "by_request")
    assert disabled["disabled_at"] >= disabled["created_at"]
    ended(alice)
    assert [d["status"] for d in deliveries(alice, f"{PATH}/{endpoint['id']}/deliveries")] == ["cancelled"]
    enabled = patch(alice, endpoint, status="enabled").json
    assert (enabled["status"], enabled["disabled_reason"], enabled["disabled_at"]) == ("enabled", None, None)
    ended(alice)
    statuses = [d["status"] for d in deliveries(alice, f"{PATH}/{endpoint['id']}/deliveries")]
    assert statuses == ["pending", "cancelled"]


def test_an_endpoint_that_answered_gone_says_so(alice: Caller, office: PostOffice) -> None:
    endpoint = registered(alice)
    alice.post(f"/v1/jobs/{alice.job()['id']}/cancel")
    (claim,) = office.take()
    office.settle(claim, GONE)
    shown = alice.get(f"{PATH}/{endpoint['id']}").json
    assert (shown["status"], shown["disabled_reason"]) == ("disabled", "gone")
    assert shown["last_failure_at"] == shown["failing_since"]
    event = alice.get("/v1/events").json["data"][-1]
    assert (event["type"], event["data"]["id"]) == ("webhook_endpoint.disabled", endpoint["id"])


def test_a_deleted_endpoint_is_gone_and_its_deliveries_stay_to_be_seen(alice: Caller) -> None:
    endpoint = registered(alice)
    ended(alice)
    deleted = alice.delete(f"{PATH}/{endpoint['id']}")
    assert deleted.json == {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}
    assert alice.get(f"{PATH}/{endpoint['id']}").status_code == 404
    assert alice.delete(f"{PATH}/{endpoint['id']}").status_code == 404
    (seen,) = deliveries(alice, f"/v1/webhook_deliveries?endpoint_id={endpoint['id']}")
    assert (seen["status"], seen["error"], seen["origin"]) == ("cancelled", "endpoint_deleted", ORIGIN)


def test_a_new_secret_is_shown_once_and_too_many_must_wait(alice: Caller) -> None:
    endpoint = registered(alice)
    path = f"{PATH}/{endpoint['id']}/rotate_secret"
    answers = [alice.post(path) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200] * 4
    assert {key: answers[0].json[key] for key in ("object", "endpoint_id")} == {
        "object": "webhook_secret", "endpoint_id": endpoint["id"],
    }  # fmt: skip
    assert len({endpoint["secret"], *(answer.json["secret"] for answer in answers)}) == 5
    refused = alice.post(path)
    assert (refused.status_code, error_of(refused)["code"]) == (429, "too_many_secrets")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    assert refused.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("body", [None, {}, {"type": "response.failed"}])
def test_a_test_event_is_owed_to_the_endpoint_alone(
    body: dict[str, str] | None, alice: Caller, office: PostOffice
) -> None:
    endpoint = registered(alice, events=["response.cancelled"])
    registered(alice)
    path = f"{PATH}/{endpoint['id']}/test"
    answer = alice.post(path) if body is None else alice.post(path, json=body)
    assert answer.status_code == 202
    kind = (body or {}).get("type", "response.completed")
    owed = (answer.json["endpoint_id"], answer.json["type"], answer.json["status"], answer.json["job_id"])
    assert owed == (endpoint["id"], kind, "pending", None)
    (claim,) = office.take()
    event = json.loads(claim.body)
    assert (event["type"], event["data"]["respool"]["test"]) == (kind, True)
    assert claim.event_id == answer.json["event_id"]
    assert alice.get("/v1/events").json["data"] == []


def test_a_disabled_endpoint_is_not_tested(alice: Caller) -> None:
    endpoint = registered(alice)
    patch(alice, endpoint, status="disabled")
    answer = alice.post(f"{PATH}/{endpoint['id']}/test")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "endpoint_disabled")


def test_what_is_done_to_endpoints_is_logged_with_who_and_no_secret(
    alice: Caller, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        endpoint = registered(alice)
        secret = alice.post(f"{PATH}/{endpoint['id']}/rotate_secret").json["secret"]
        patch(alice, endpoint, url=URL + "2", status="disabled")
        alice.delete(f"{PATH}/{endpoint['id']}")
    lines = [record.getMessage() for record in caplog.records if record.name == "api.views.webhook_endpoints"]
    assert len(lines) == 4
    assert all((endpoint["id"] in line and "by key_" in line) or "made by key_" in line for line in lines)
    assert "url, status changed" in lines[2]
    for kept in (endpoint["secret"], secret, "canary"):
        assert kept not in caplog.text
