"""Registered receivers: what is kept of them, what they are owed, and what becomes of that when they go."""

import json
from typing import Any

import pytest

from jobs import keys, scripts
from jobs.errors import EndpointDisabled, EndpointNotFound, TooManyEndpoints
from jobs.vault import Vault
from jobs.webhooks.endpoint_record import Endpoint, EndpointChange, is_endpoint_id
from jobs.webhooks.endpoints import MOST_ENDPOINTS, Endpoints
from jobs.webhooks.secrets import check_secret
from schemas.webhook_url import WebhookUrl
from tests.fakes.post_office import GONE, PostOffice

HOME = WebhookUrl(
    url="https://home.example/in", scheme="https", host="home.example", port=443, origin="https://home.example:443"
)
AWAY = WebhookUrl(
    url="https://away.example/in", scheme="https", host="away.example", port=443, origin="https://away.example:443"
)


@pytest.fixture
def vault(office: PostOffice) -> Vault:
    return Vault(office.client, secret="s")


@pytest.fixture
def endpoints(office: PostOffice, vault: Vault) -> Endpoints:
    return Endpoints(office.client, vault, retention_seconds=600.0)


def made(endpoints: Endpoints, project: str = "default", **values: Any) -> Endpoint:
    return endpoints.create(project, **{"url": HOME} | values)[1]


def routes(office: PostOffice, project: str = "default") -> dict[str, Any]:
    found = office.client.hgetall(keys.webhook_routes(project))
    return {endpoint.decode(): json.loads(route) for endpoint, route in found.items()}


def statuses(office: PostOffice, number: str) -> list[str]:
    return [office.record(d)["status"] for d in office.of_job(number)]


def test_a_new_endpoint_is_enabled_and_has_a_secret_that_is_shown_once(
    office: PostOffice, endpoints: Endpoints, vault: Vault
) -> None:
    secret, endpoint = endpoints.create("p", url=HOME, events=["response.failed"], description="d")
    check_secret(secret)
    assert is_endpoint_id(endpoint.id)
    assert (endpoint.project, endpoint.url, endpoint.origin) == ("p", HOME.url, HOME.origin)
    assert (endpoint.events, endpoint.include, endpoint.description) == (("response.failed",), "id", "d")
    assert (endpoint.status, endpoint.disabled_reason, endpoint.failing_since) == ("enabled", None, None)
    assert abs(endpoint.created_at - office.client.time()[0]) < 2
    ((sealed, until),) = json.loads(office.client.hget(keys.webhook_endpoint(endpoint.id), "secrets"))
    assert (vault.open(sealed), until) == (secret, 0)
    assert secret not in str(office.client.hgetall(keys.webhook_endpoint(endpoint.id)))
    assert HOME.url not in str(office.client.hgetall(keys.webhook_endpoint(endpoint.id)))
    assert office.client.sismember(keys.PROJECTS, "p")


def test_the_secret_that_was_shown_signs_what_the_endpoint_is_owed(
    office: PostOffice, endpoints: Endpoints, vault: Vault
) -> None:
    secret, endpoint = endpoints.create("default", url=HOME, include="response")
    office.end_job(None)
    (claim,) = office.take()
    assert (claim.endpoint_id, vault.open(claim.url), claim.include, claim.signer) == (
        endpoint.id,
        HOME.url,
        "response",
        "endpoint",
    )
    assert [vault.open(sealed) for sealed in claim.sealed] == [secret]
    new = endpoints.rotate(endpoint.id, project="default")
    office.end_job(None)
    (claim,) = office.take()
    assert [vault.open(sealed) for sealed in claim.sealed] == [new, secret]


def test_an_endpoint_hears_what_it_asks_for_and_of_its_own_project_alone(
    office: PostOffice, endpoints: Endpoints
) -> None:
    all_events, cancels = made(endpoints), made(endpoints, events=["response.cancelled"])
    made(endpoints, events=["response.failed"])
    made(endpoints, "other")
    number = office.end_job(None)
    assert {office.record(d)["endpoint"] for d in office.of_job(number)} == {all_events.id, cancels.id}


def test_endpoints_are_listed_oldest_first_each_with_its_project(endpoints: Endpoints) -> None:
    first, other, second = made(endpoints, "p"), made(endpoints, "q"), made(endpoints, "p")
    assert sorted(e.id for e in endpoints.all("p")) == sorted([first.id, second.id])
    assert {e.id for e in endpoints.all(None)} == {first.id, other.id, second.id}
    found = endpoints.all(None)
    assert found == sorted(found, key=lambda endpoint: (endpoint.created_at, endpoint.id))
    assert endpoints.all("nobody") == []


@pytest.mark.parametrize("act", ["get", "change", "delete", "rotate", "test"])
def test_an_endpoint_of_another_project_is_as_one_that_does_not_exist(
    act: str, office: PostOffice, endpoints: Endpoints
) -> None:
    endpoint = made(endpoints, "p")
    before = {key: office.client.dump(key) for key in office.bench.all_keys()}
    calls: dict[str, Any] = {
        "get": lambda id: endpoints.get(id, project="q"),
        "change": lambda id: endpoints.change(id, EndpointChange(status="disabled"), project="q"),
        "delete": lambda id: endpoints.delete(id, project="q"),
        "rotate": lambda id: endpoints.rotate(id, project="q"),
        "test": lambda id: endpoints.test(id, project="q", type="response.completed"),
    }
    for endpoint_id in (endpoint.id, "we_" + "0" * 32):
        with pytest.raises(EndpointNotFound):
            calls[act](endpoint_id)
    assert {key: office.client.dump(key) for key in office.bench.all_keys()} == before


def test_a_project_has_so_many_endpoints_and_no_more(endpoints: Endpoints) -> None:
    for _ in range(MOST_ENDPOINTS):
        endpoint = made(endpoints, "p")
    with pytest.raises(TooManyEndpoints, match="50"):
        made(endpoints, "p")
    assert len(endpoints.all("p")) == MOST_ENDPOINTS
    made(endpoints, "q")
    endpoints.delete(endpoint.id, project="p")
    made(endpoints, "p")


def test_a_change_leaves_what_it_does_not_name(office: PostOffice, endpoints: Endpoints) -> None:
    endpoint = made(endpoints, events=["response.failed"], description="d", include="response")
    changed = endpoints.change(endpoint.id, EndpointChange(url=AWAY), project="default")
    assert (changed.url, changed.origin) == (AWAY.url, AWAY.origin)
    assert (changed.events, changed.description, changed.include) == (("response.failed",), "d", "response")
    assert routes(office) == {
        endpoint.id: {"events": ["response.failed"], "include": "response", "origin": AWAY.origin}
    }
    assert endpoints.change(endpoint.id, EndpointChange(events=None), project=None).events is None
    assert routes(office) == {endpoint.id: {"include": "response", "origin": AWAY.origin}}


def test_what_is_owed_goes_to_the_new_address(office: PostOffice, endpoints: Endpoints, vault: Vault) -> None:
    endpoint = made(endpoints)
    office.end_job(None)
    endpoints.change(endpoint.id, EndpointChange(url=AWAY), project=None)
    claims = office.take() or office.take()
    assert [vault.open(claim.url) for claim in claims] == [AWAY.url]


def test_a_new_address_has_not_failed_yet(office: PostOffice, endpoints: Endpoints) -> None:
    endpoint = made(endpoints)
    office.client.hset(keys.webhook_endpoint(endpoint.id), "failing_since", 1000)
    assert endpoints.get(endpoint.id, project=None).failing_since == 1.0
    assert endpoints.change(endpoint.id, EndpointChange(include="id"), project=None).failing_since == 1.0
    assert endpoints.change(endpoint.id, EndpointChange(url=AWAY), project=None).failing_since is None


def test_a_disabled_endpoint_is_owed_nothing_and_what_it_was_owed_is_cancelled(
    office: PostOffice, endpoints: Endpoints
) -> None:
    endpoint, other = made(endpoints), made(endpoints)
    number = office.end_job(None)
    disabled = endpoints.change(endpoint.id, EndpointChange(status="disabled"), project=None)
    assert (disabled.status, disabled.disabled_reason) == ("disabled", "by_request")
    assert disabled.disabled_at is not None
    found = {office.record(d)["endpoint"]: office.record(d) for d in office.of_job(number)}
    assert (found[endpoint.id]["status"], found[endpoint.id]["error"]) == ("cancelled", "endpoint_disabled")
    assert found[other.id]["status"] == "pending"
    assert list(routes(office)) == [other.id]
    assert [claim.endpoint_id for claim in office.take()] == [other.id]


def test_an_endpoint_that_is_enabled_again_starts_with_no_failures(office: PostOffice, endpoints: Endpoints) -> None:
    endpoint = made(endpoints)
    office.end_job(None)
    (claim,) = office.take()
    assert office.settle(claim, GONE).disabled == "gone"
    gone = endpoints.get(endpoint.id, project=None)
    assert (gone.status, gone.disabled_reason) == ("disabled", "gone")
    assert gone.last_failure_at is not None
    kept = endpoints.change(endpoint.id, EndpointChange(status="disabled"), project=None)
    assert (kept.disabled_reason, kept.disabled_at) == ("gone", gone.disabled_at)
    again = endpoints.change(endpoint.id, EndpointChange(status="enabled"), project=None)
    assert (again.status, again.disabled_reason, again.disabled_at) == ("enabled", None, None)
    assert again.failing_since is None
    assert list(routes(office)) == [endpoint.id]


def test_a_deleted_endpoint_leaves_its_deliveries_cancelled_and_nothing_else(
    office: PostOffice, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.cancelling.PIECE", 2)
    endpoint = made(endpoints)
    numbers = [office.end_job(None) for _ in range(5)]
    endpoints.delete(endpoint.id, project="default")
    assert [statuses(office, number) for number in numbers] == [["cancelled"]] * 5
    assert office.listed().keys() == {"dead"}
    assert office.take() == []
    assert routes(office) == {}
    assert endpoints.all("default") == []
    assert not office.client.exists(keys.webhook_endpoint(endpoint.id))


def test_what_is_being_sent_while_its_endpoint_goes_is_left_to_its_sender(
    office: PostOffice, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jobs.webhooks.cancelling.PIECE", 1)
    endpoint = made(endpoints)
    first = office.end_job(None)
    (claim,) = office.take()
    second = office.end_job(None)
    endpoints.delete(endpoint.id, project=None)
    assert (statuses(office, first), statuses(office, second)) == (["sending"], ["cancelled"])
    assert office.settle(claim).answer == "settled"
    assert statuses(office, first) == ["delivered"]


@pytest.mark.parametrize("include", ["id", "response"])
def test_a_test_goes_to_one_endpoint_alone_marked_and_in_no_feed(
    include: Any, office: PostOffice, endpoints: Endpoints
) -> None:
    endpoint = made(endpoints, events=["response.completed"], include=include)
    made(endpoints)
    number = endpoints.test(endpoint.id, project="default", type="response.failed")
    (claim,) = office.take()
    assert (claim.number, claim.endpoint_id, claim.type, claim.kept) == (number, endpoint.id, "response.failed", None)
    event = json.loads(claim.body)
    assert (event["object"], event["id"], event["type"]) == ("event", claim.event_id, "response.failed")
    assert event["data"]["respool"]["test"] is True
    assert office.feed() == []
    office.settle(claim)
    record = keys.delivery(number)
    assert 0 < office.client.pttl(record) <= 600_000


def test_a_disabled_endpoint_is_not_tested(endpoints: Endpoints) -> None:
    endpoint = made(endpoints)
    endpoints.change(endpoint.id, EndpointChange(status="disabled"), project=None)
    with pytest.raises(EndpointDisabled):
        endpoints.test(endpoint.id, project=None, type="response.completed")


def test_scripts_of_endpoints_change_nothing_more_when_they_are_run_twice(
    office: PostOffice, endpoints: Endpoints
) -> None:
    clock_free = ["set_endpoint", "owe_test", "cancel_deliveries", "forget_endpoint"]
    args: dict[str, list[Any]] = {
        "set_endpoint": [
            "we_1",
            "create",
            "p",
            1,
            "url",
            HOME.url,
            "origin",
            HOME.origin,
            "events",
            "",
            "include",
            "id",
        ],
        "owe_test": ["we_1", "p", "evt_1", "response.failed", "resp_1", "{}", 1000],
        "cancel_deliveries": ["we_2", 0, 10],
        "forget_endpoint": ["we_2", "p"],
    }
    office.register("we_2", project="p", origin=HOME.origin)
    for name in clock_free:
        call = scripts.Call(name=name, keys=[keys.webhook_endpoint(str(args[name][0]))], args=args[name])
        first = scripts.run(office.client, call)
        before = {key: office.client.dump(key) for key in office.bench.all_keys()}
        second = scripts.run(office.client, call)
        assert {key: office.client.dump(key) for key in office.bench.all_keys()} == before, name
        assert second == (b"missing" if name == "forget_endpoint" else first)
    office.end_job(None, project="p")
