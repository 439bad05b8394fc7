"""Every route of responses with an id of another project and of nothing: the two look alike."""

from typing import Any

import pytest

from tests.fakes.bench import Bench
from tests.unit.api.conftest import Caller
from tests.unit.api.responses import asked, begun, finish, start

NOTHING = f"resp_{'0' * 32}"
BY_ID = [
    ("GET", "/v1/responses/{id}"), ("GET", "/v1/responses/{id}?stream=true"),
    ("GET", "/v1/responses/{id}?stream=true&starting_after=2"), ("POST", "/v1/responses/{id}/cancel"),
    ("GET", "/v1/responses/{id}/input_items"), ("GET", "/v1/responses?after={id}"), ("DELETE", "/v1/responses/{id}"),
]  # fmt: skip


@pytest.mark.parametrize("is_ended", [True, False])
@pytest.mark.parametrize(("verb", "path"), BY_ID)
def test_what_is_anothers_answers_like_what_does_not_exist_and_stays_as_it_is(
    verb: str, path: str, is_ended: bool, alice: Caller, bob: Caller, bench: Bench
) -> None:
    theirs = begun(alice)["id"]
    if is_ended:
        finish(bench, start(bench))
    before = {key: bench.client.dump(key) for key in bench.client.scan_iter(count=1000)}
    answers = {name: bob.ask(verb, path.format(id=name)) for name in (theirs, NOTHING)}
    assert {answer.status_code for answer in answers.values()} <= {400, 404}
    told = [(answer.status_code, answer.text.replace(name, "ID")) for name, answer in answers.items()]
    assert told[0] == told[1]
    assert {key: bench.client.dump(key) for key in bench.client.scan_iter(count=1000)} == before
    if is_ended:
        assert alice.ask(verb, path.format(id=theirs)).status_code == 200


def test_nobody_goes_on_after_anothers_response(alice: Caller, bob: Caller, bench: Bench) -> None:
    theirs = begun(alice)["id"]
    finish(bench, start(bench))
    told = [
        bob.post("/v1/responses", json=asked(previous_response_id=name)).text.replace(name, "ID")
        for name in (theirs, NOTHING)
    ]
    assert told[0] == told[1]
    assert bob.get("/v1/responses").json["data"] == []


@pytest.mark.parametrize(
    ("verb", "path"), [*BY_ID, ("POST", "/v1/responses"), ("GET", "/v1/responses"), ("POST", "/v1/responses/compact"),
                       ("GET", "/v1/models"),
                       ("GET", "/v1/models/glm-4.7")],
)  # fmt: skip
def test_no_route_answers_without_a_key(verb: str, path: str, nobody: Caller) -> None:
    sent: dict[str, Any] = {"json": asked()} if path == "/v1/responses" and verb == "POST" else {}
    assert nobody.ask(verb, path.format(id=NOTHING), **sent).status_code == 401
