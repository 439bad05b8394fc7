"""Every route and verb that there is, asked without a key, and with the ids of somebody else and of nobody."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from tests.fakes.post_office import PostOffice
from tests.unit.api.batches import begun
from tests.unit.api.conftest import AppMaker, Caller
from tests.unit.api.webhooks import deliveries, ended, registered

NOBODYS = {
    "job_id": "job_" + "0" * 32, "response_id": "resp_" + "0" * 32, "file_id": "file-" + "0" * 32,
    "batch_id": "batch_" + "0" * 32, "delivery_id": "dlv_" + "0" * 32, "endpoint_id": "we_" + "0" * 32,
    "project": "nobody",
}  # fmt: skip
COMMON = {"model": "none", "lane": "default:none", "rest": "x", "filename": "none", "name": "none", "what": "request",
          "do": "test", "index": 0, "key_id": "key_none"}  # fmt: skip
"""Parts of an address that belong to no project."""

OPEN = {
    "/healthz": 200, "/readyz": 200, "/openapi.json": 200, "/docs": 200, "/docs/start.js": 200,
    "/docs/assets/<path:name>": 404,
    "/metrics": 200,  # unless RESPOOL_METRICS_TOKEN is set
    "/v1/files/<file_id>/signed": 403,  # the link itself is what lets in
    "/console/sign-in": 200, "/console/static/<path:filename>": 404,
}  # fmt: skip
"""What answers without a key, and how."""

BODIES: dict[str, dict[str, Any]] = {"PATCH /v1/webhook_endpoints/<endpoint_id>": {"description": "d"}}


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


def routes(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for verb in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, verb


def address(rule: Rule, ids: dict[str, str]) -> str:
    built = rule.build({name: (COMMON | ids)[name] for name in rule.arguments})
    assert built is not None
    query = "?expires=1&signature=x" if rule.endpoint == "file_links.signed" else ""
    return built[1] + query


def owned(caller: Caller, project: str, office: PostOffice) -> dict[str, str]:
    """One of each thing, new."""
    endpoint, job, batch = registered(caller), ended(caller), begun(caller)
    office.take()
    return {
        "job_id": job["id"],
        "response_id": job["response"]["id"],
        "file_id": batch["input_file_id"],
        "batch_id": batch["id"],
        "endpoint_id": endpoint["id"],
        "delivery_id": deliveries(caller)[0]["id"],
        "project": project,
    }


def told(answer: TestResponse, ids: dict[str, str]) -> tuple[int, dict[str, str], str]:
    """Status, headers and body, without what was asked for."""
    text = answer.get_data(as_text=True)
    headers = {name: value for name, value in answer.headers.items() if name not in ("Content-Length", "Date")}
    for name, value in ids.items():
        text = text.replace(value, f"<{name}>")
        headers = {header: held.replace(value, f"<{name}>") for header, held in headers.items()}
    return answer.status_code, headers, text


def test_without_a_key_every_route_and_verb_is_shut_but_those_that_are_listed(app: Flask) -> None:
    client: FlaskClient = app.test_client()
    opened, first = {}, None
    for rule, verb in routes(app):
        answer = client.open(address(rule, NOBODYS), method=verb, headers={"X-Request-Id": "one"})
        if rule.rule in OPEN and verb == "GET":
            opened[rule.rule] = answer.status_code
        elif rule.endpoint.startswith("console."):
            assert answer.status_code == (303 if verb == "GET" else 403), (verb, rule)
        else:
            assert answer.status_code == 401, (verb, rule)
            first = first or answer.data
            assert answer.data == first, (verb, rule)
    assert opened == OPEN


def test_what_is_anothers_is_to_the_byte_what_does_not_exist(
    app: Flask, alice: Caller, bob: Caller, office: PostOffice
) -> None:
    tried = set()
    for rule, verb in routes(app):
        if not rule.rule.startswith("/v1/") or not set(rule.arguments) & set(NOBODYS):
            continue
        ids = owned(alice, "alice", office)
        options: dict[str, Any] = {"headers": {"X-Request-Id": "one"}}
        if verb in ("POST", "PATCH"):
            options["json"] = BODIES.get(f"{verb} {rule.rule}", {})
        others = told(bob.ask(verb, address(rule, ids), **options), ids)
        missing = told(bob.ask(verb, address(rule, NOBODYS), **options), NOBODYS)
        assert others == missing, (verb, rule)
        assert others[0] in (403, 404), (verb, rule)
        own = alice.ask(verb, address(rule, ids), **options)
        if others[0] == 404:
            assert own.status_code not in (401, 403, 404, 500), (verb, rule, own.text)
        tried |= set(rule.arguments) & set(NOBODYS)
    assert tried == set(NOBODYS)


@pytest.mark.parametrize("name", ["job_id", "file_id", "batch_id", "endpoint_id", "delivery_id"])
def test_ids_cannot_be_guessed(name: str, alice: Caller, office: PostOffice) -> None:
    one, other = owned(alice, "alice", office)[name], owned(alice, "alice", office)[name]
    for found in (one, other):
        assert len(found.partition("-" if name == "file_id" else "_")[2]) == 32
        int(found[-32:], 16)
    assert sum(a != b for a, b in zip(one[-32:], other[-32:], strict=True)) > 8
