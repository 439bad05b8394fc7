"""Every route of the console, asked by those to whom it does not belong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import Rule

from tests.unit.api.batches import begun
from tests.unit.api.conftest import AppMaker, Caller
from tests.unit.api.console.conftest import Come, Person

ADMINS = {"projects", "change_project", "keys", "create_key", "revoke_key", "pause_lane", "resume_lane"}
OPEN = {"static", "sign_in", "sign_in_form", "nowhere"}
OTHERS = {"index": "0", "what": "response", "do": "disable"}
"""Parts of an address that name nothing that belongs to anybody."""

MISSING = {
    "job_id": "job_" + "0" * 32, "file_id": "file-" + "0" * 32, "batch_id": "batch_" + "0" * 32,
    "delivery_id": "dlv_" + "0" * 32, "endpoint_id": "we_" + "0" * 32,
}  # fmt: skip


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


@pytest.fixture
def owned(alice: Caller) -> dict[str, str]:
    """One of each thing, Alice's."""
    picture = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    job = alice.job(request={"input": [{"role": "user", "content": [picture]}]})["id"]
    endpoint = alice.post("/v1/webhook_endpoints", json={"url": "https://example.com/alice"}).json["id"]
    batch = begun(alice)
    delivery = alice.post(f"/v1/webhook_endpoints/{endpoint}/test", json={}).json["id"]
    return {"job_id": job, "file_id": batch["input_file_id"], "batch_id": batch["id"], "delivery_id": delivery,
            "endpoint_id": endpoint}  # fmt: skip


def rules(app: Flask) -> Iterator[tuple[str, Rule, str]]:
    """Name, rule and verb of each route but those that anybody may see."""
    for rule in app.url_map.iter_rules():
        name = rule.endpoint.removeprefix("console.")
        if rule.endpoint.startswith("console.") and name not in OPEN:
            yield name, rule, "POST" if "POST" in (rule.methods or ()) else "GET"


def address(rule: Rule, ids: dict[str, str]) -> str:
    built = rule.build({name: (ids | OTHERS).get(name, "x") for name in rule.arguments})
    assert built is not None
    return built[1]


def asked(person: Person, verb: str, path: str) -> int:
    if verb == "POST":
        return person.post(path).status_code
    answer = person.client.get(path, buffered=False)
    answer.close()
    return answer.status_code


def test_what_belongs_to_one_project_is_to_another_as_if_it_were_not(
    app: Flask, come: Come, owned: dict[str, str]
) -> None:
    bob, tried = come("bob"), set()
    for _, rule, verb in rules(app):
        if set(rule.arguments) & set(owned):
            assert asked(bob, verb, address(rule, owned)) == 404, rule
            assert asked(bob, verb, address(rule, MISSING)) == 404, rule
            tried |= set(rule.arguments)
    assert tried >= set(owned)


def test_nothing_of_another_project_is_told_by_any_page(app: Flask, come: Come, owned: dict[str, str]) -> None:
    bob = come("bob")
    for name, rule, verb in rules(app):
        if verb == "GET" and not rule.arguments and name not in ADMINS and "live" not in name:
            text = bob.get(rule.rule).text
            assert not [each for each in (*owned.values(), "example.com/alice") if each in text], rule


def test_what_is_for_admins_is_refused_to_members_and_the_rest_is_theirs(
    app: Flask, come: Come, owned: dict[str, str]
) -> None:
    member = come("alice")
    for name, rule, verb in rules(app):
        if verb == "GET" or name in ADMINS:
            expected = {403} if name in ADMINS else {200}
            assert asked(member, verb, address(rule, owned)) in expected, rule


def test_whoever_is_not_signed_in_is_sent_to_the_form_wherever_they_go(
    app: Flask, come: Come, owned: dict[str, str]
) -> None:
    nobody = come(signed_in=False)
    for _, rule, verb in rules(app):
        nobody.client.delete_cookie("respool_session")
        assert asked(nobody, verb, address(rule, owned)) == 303, rule


def test_no_route_both_shows_and_changes(app: Flask) -> None:
    for _, rule, verb in rules(app):
        assert set(rule.methods or ()) <= ({"POST", "OPTIONS"} if verb == "POST" else {"GET", "HEAD", "OPTIONS"}), rule
