import json
from typing import Any

import pytest

from tests.factories import MODEL
from tests.fakes.bench import FAILED, FAILURE, Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.responses import asked, begun, create, ended, finish, number_of, start

NOTHING = f"resp_{'0' * 32}"
HELLO = {"role": "user", "content": "hello"}
HI = {"role": "assistant", "content": "hi"}


def sent(bench: Bench) -> dict[str, Any]:
    """What goes upstream for the next job, which then completes."""
    claim = start(bench)
    body: dict[str, Any] = json.loads(bench.runs().body(claim))
    finish(bench, claim)
    return body


def test_the_turns_before_it_stand_before_the_input_and_the_id_stays_here(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench)
    second = begun(alice, input="what did I say?", previous_response_id=first["id"], instructions="be brief")
    assert second["previous_response_id"] == first["id"]
    body = sent(bench)
    assert body == {
        "model": MODEL, "instructions": "be brief", "stream": False,
        "input": [HELLO, HI, {"role": "user", "content": "what did I say?"}],
    }  # fmt: skip
    assert alice.get(f"/v1/responses/{second['id']}").json["previous_response_id"] == first["id"]


def test_a_third_turn_has_both_before_it_though_the_first_is_deleted(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench)
    second = ended(alice, bench, input=[{"role": "user", "content": "two"}], previous_response_id=first["id"])
    alice.delete(f"/v1/responses/{first['id']}")
    third = begun(alice, input="three", previous_response_id=second["id"])
    assert [turn["content"] for turn in sent(bench)["input"]] == ["hello", "hi", "two", "hi", "three"]
    items = alice.get(f"/v1/responses/{third['id']}/input_items?order=asc").json["data"]
    assert [item["content"][0]["text"] for item in items] == ["hello", "hi", "two", "hi", "three"]
    assert len({item["id"] for item in items}) == 5


def test_instructions_are_not_taken_over(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench, instructions="be brief")
    begun(alice, previous_response_id=first["id"])
    assert "instructions" not in sent(bench)


def test_a_function_that_was_called_and_its_result_go_on(alice: Caller, bench: Bench) -> None:
    call = {"type": "function_call", "id": "fc_1", "call_id": "c", "name": "f", "arguments": "{}"}
    first = ended(alice, bench, output=[{"type": "reasoning", "summary": []}, call])
    result = {"type": "function_call_output", "call_id": "c", "output": "sunny"}
    begun(alice, input=[result], previous_response_id=first["id"])
    called = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert sent(bench)["input"] == [HELLO, called, result]


def test_the_turns_before_it_count_in_the_estimate(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench, input="x" * 3000)
    alone, after = begun(alice), begun(alice, previous_response_id=first["id"])
    assert after["respool"]["estimated_tokens"] - alone["respool"]["estimated_tokens"] >= 1000


@pytest.mark.parametrize("unknown", ["nonsense", NOTHING, f"job_{'0' * 32}", ""])
def test_an_unknown_one_is_refused(unknown: str, alice: Caller) -> None:
    refused = create(alice, previous_response_id=unknown)
    assert (refused.status_code, error_of(refused)["param"]) == (400, "previous_response_id")
    assert error_of(refused)["code"] == "previous_response_not_found"


def test_anothers_is_refused_like_an_unknown_one_also_to_an_admin(
    alice: Caller, bob: Caller, admin: Caller, bench: Bench
) -> None:
    theirs = ended(alice, bench)["id"]
    for caller in (bob, admin):
        answers = [create(caller, previous_response_id=name) for name in (theirs, NOTHING)]
        assert [answer.status_code for answer in answers] == [400, 400]
        assert answers[0].text.replace(theirs, "ID") == answers[1].text.replace(NOTHING, "ID")


def test_one_that_has_not_ended_or_has_no_output_is_refused(alice: Caller, bench: Bench) -> None:
    queued = begun(alice)
    refused = create(alice, previous_response_id=queued["id"])
    assert (refused.status_code, error_of(refused)["code"]) == (400, "previous_response_not_ended")
    bench.runs("w1").finish(start(bench), FAILURE, FAILED)
    refused = create(alice, previous_response_id=queued["id"])
    assert (refused.status_code, error_of(refused)["code"]) == (400, "previous_response_without_output")


def test_a_conversation_that_grew_too_long_is_refused(make_app: AppMaker, alice: Caller, bench: Bench) -> None:
    caller = Caller(make_app(max_body_bytes=2000).test_client(), alice.key)
    first = ended(caller, bench, input="x" * 1200)
    assert create(caller, input="y" * 100, previous_response_id=first["id"]).status_code == 200
    refused = create(caller, input="y" * 1200, previous_response_id=first["id"])
    assert (refused.status_code, error_of(refused)["param"]) == (413, "previous_response_id")
    assert "2000 bytes" in error_of(refused)["message"]


def test_a_job_goes_on_after_one_of_ours_and_leaves_others_to_the_endpoint(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench)
    alice.job(request={"previous_response_id": first["id"]})
    assert sent(bench)["input"] == [HELLO, HI, HELLO]
    alice.job(request={"previous_response_id": "resp_021774236829912"})
    assert sent(bench)["previous_response_id"] == "resp_021774236829912"
    refused = alice.submit(request={"previous_response_id": NOTHING})
    assert (refused.status_code, error_of(refused)["param"]) == (400, "request.previous_response_id")


def test_the_same_request_again_is_the_same_though_turns_stand_before_it(alice: Caller, bench: Bench) -> None:
    first = ended(alice, bench)
    body, headers = asked(previous_response_id=first["id"]), {"Idempotency-Key": "k"}
    ids = {number_of(alice.post("/v1/responses", json=body, headers=headers).json) for _ in range(2)}
    assert len(ids) == 1
