"""Where a job's events are to go, as a submit says it."""

import json
import logging
from typing import Any

import pytest
import redis

from jobs import keys
from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from schemas.allow import Allow
from tests.fakes.post_office import PostOffice
from tests.unit.api.conftest import AppMaker, Caller, error_of, job_body
from tests.unit.api.webhooks import ORIGIN, SECRET, URL


def refused(caller: Caller, webhook: Any, path: str = "/v1/jobs") -> dict[str, Any]:
    answer = caller.post(path, json=job_body(webhook=webhook))
    assert answer.status_code == 400, answer.text
    return error_of(answer)


def test_a_job_shows_its_webhook_and_never_its_secret(alice: Caller) -> None:
    webhook = {"url": URL, "secret": SECRET, "events": ["response.failed"], "include": "response"}
    job = alice.job(webhook=webhook)
    shown = {"url": URL, "events": ["response.failed"], "include": "response", "has_secret": True}
    assert job["webhook"] == shown
    answers = [alice.get(f"/v1/jobs/{job['id']}"), alice.get("/v1/jobs"), alice.post(f"/v1/jobs/{job['id']}/cancel")]
    assert answers[0].json["webhook"] == shown
    assert all(SECRET not in answer.text for answer in answers)
    assert alice.job()["webhook"] is None
    assert alice.job(webhook=None)["webhook"] is None


def test_the_secret_and_the_url_are_sealed_in_the_store_and_open_for_the_sender(
    make_app: AppMaker, alice: Caller, office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    caller = Caller(make_app(secret="pepper").test_client(), "")
    tenants = make_app(secret="pepper").extensions["respool"].tenants
    caller.key = tenants.create(project="default", role="member")[0]
    with caplog.at_level(logging.DEBUG):
        job = caller.job(webhook={"url": URL, "secret": SECRET})
        caller.post(f"/v1/jobs/{job['id']}/cancel")
    dump = b"".join(office.client.dump(key) or b"" for key in office.client.scan_iter(count=1000))
    assert SECRET.removeprefix("whsec_").encode() not in dump
    assert URL.encode() not in dump
    assert SECRET not in caplog.text
    (claim,) = office.take()
    vault = Vault(office.client, secret="pepper")
    assert (claim.signer, vault.open(claim.url), claim.include) == ("own", URL, "id")
    assert [vault.open(sealed) for sealed in claim.sealed] == [SECRET]


def test_a_job_without_a_secret_is_signed_by_its_projects(alice: Caller, office: PostOffice) -> None:
    secret = alice.post("/v1/webhook_secret/rotate").json["secret"]
    job = alice.job(webhook={"url": URL})
    assert job["webhook"] == {"url": URL, "events": None, "include": "id", "has_secret": False}
    alice.post(f"/v1/jobs/{job['id']}/cancel")
    (claim,) = office.take()
    assert claim.signer == "project"
    assert [Vault(office.client, secret="").open(sealed) for sealed in claim.sealed] == [secret]


def test_where_nothing_would_sign_it_a_webhook_is_refused_with_the_way_to_a_secret(alice: Caller) -> None:
    error = refused(alice, {"url": URL})
    assert (error["param"], error["code"]) == ("webhook.secret", "invalid_value")
    assert "project alice" in error["message"]
    assert "POST /v1/webhook_secret/rotate" in error["message"]
    assert alice.get("/v1/jobs").json["data"] == []


def test_the_settings_may_hold_the_secret_of_the_development_project_alone(make_app: AppMaker, alice: Caller) -> None:
    app = make_app(api_key="known", webhook_secret=new_secret())
    assert Caller(app.test_client(), "known").job(webhook={"url": URL})["webhook"]["has_secret"] is False
    assert refused(Caller(app.test_client(), alice.key), {"url": URL})["param"] == "webhook.secret"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("https://10.0.0.1/", "private address (10.0.0.1); RESPOOL_WEBHOOK_ALLOW can admit it"),
        ("https://169.254.169.254/latest", "RESPOOL_WEBHOOK_ALLOW"),
        ("https://[::1]/", "loopback"),
        ("https://localhost/", "loopback"),
        ("http://example.com/", "https://"),
        ("https://user:pw@example.com/", "user or password"),
        ("https://example.com\\@10.0.0.1/", "backslashes"),
        ("https://example.com:6379/", "port 6379"),
        ("ftp://example.com/", "https://"),
        ("nonsense", "https://"),
    ],
)
def test_an_address_that_webhooks_may_not_go_to_is_refused_by_its_text(url: str, told: str, alice: Caller) -> None:
    error = refused(alice, {"url": url, "secret": SECRET})
    assert (error["param"], error["code"]) == ("webhook.url", "invalid_value")
    assert told in error["message"]
    assert refused(alice, {"url": url, "secret": SECRET}, "/v1/jobs?dry_run=1") == error


def test_what_the_operator_admits_is_taken(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(webhook_allow=Allow.parse("127.0.0.0/8")).test_client(), alice.key)
    assert caller.job(webhook={"url": "http://127.0.0.2:8080/x", "secret": SECRET})["webhook"]["url"].endswith("/x")
    assert refused(caller, {"url": "http://10.0.0.1:8080/x", "secret": SECRET})["param"] == "webhook.url"


@pytest.mark.parametrize(
    "url", ["https://jobs.example.com/v1/jobs", "https://JOBS.example.com:443", "http://LocalHost/"]
)
def test_this_service_itself_is_no_receiver_even_if_it_is_admitted(url: str, make_app: AppMaker, alice: Caller) -> None:
    app = make_app(public_url="https://jobs.example.com", webhook_allow=Allow.parse("localhost,jobs.example.com"))
    error = refused(Caller(app.test_client(), alice.key), {"url": url, "secret": SECRET})
    assert "must not point to this service itself" in error["message"]


@pytest.mark.parametrize("host", ["[", "a:b:c", "x:99999", "exa mple", "", "bücher.example"])
def test_a_host_header_of_nonsense_does_no_harm(host: str, alice: Caller) -> None:
    answer = alice.submit(webhook={"url": URL, "secret": SECRET}, headers={"Host": host})
    assert answer.status_code in (202, 400)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "x" * 40, "whsec_!!!", SECRET + "~"])
def test_a_secret_that_is_none_is_refused_and_not_repeated(secret: str, alice: Caller) -> None:
    answer = alice.submit(webhook={"url": URL, "secret": secret})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "webhook.secret")
    assert "24 to 64 bytes" in error_of(answer)["message"]
    assert secret == "whsec_" or secret not in answer.text


def test_all_mistakes_of_a_webhook_are_told_at_once(alice: Caller) -> None:
    answer = alice.submit(webhook={"url": "https://10.0.0.1/", "secret": "x"})
    assert [mistake["param"] for mistake in answer.json["errors"]] == ["webhook.url", "webhook.secret"]


def test_a_dry_run_takes_a_webhook_and_keeps_nothing(alice: Caller, store_client: redis.Redis) -> None:
    answer = alice.post("/v1/jobs?dry_run=1", json=job_body(webhook={"url": URL, "secret": SECRET}))
    assert answer.status_code == 200
    assert list(store_client.scan_iter(match=keys.job("*"))) == []


def test_the_same_submit_with_another_webhook_is_another_body(alice: Caller) -> None:
    def submit(url: str) -> int:
        webhook = {"url": url, "secret": SECRET}
        return alice.submit(webhook=webhook, headers={"Idempotency-Key": "k"}).status_code

    assert [submit(URL), submit(URL), submit(URL + "2")] == [202, 202, 422]


def test_the_record_keeps_the_origin_by_which_deliveries_queue(alice: Caller, store_client: redis.Redis) -> None:
    job = alice.job(webhook={"url": "https://Hooks.Example.com/in", "secret": SECRET})
    kept = json.loads(store_client.hget(keys.job(job["id"].removeprefix("job_")), "webhook"))
    assert kept["origin"] == ORIGIN
    assert job["webhook"]["url"] == "https://hooks.example.com/in"
