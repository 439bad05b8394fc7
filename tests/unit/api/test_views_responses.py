import json
from typing import Any

import pytest
from openai.types.responses import Response
from openresponses_types.types import ResponseResource

from jobs import keys
from tests.factories import MODEL
from tests.fakes.bench import FAILED, FAILURE, Bench
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.responses import MESSAGE, begun, create, ended, finish, number_of, start

SECRET = "whsec_bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU="
WEBHOOK = {"url": "https://example.com/hook", "secret": SECRET}
NOTHING = f"resp_{'0' * 32}"


def test_a_response_in_the_background_is_answered_at_once_as_queued(alice: Caller) -> None:
    answer = create(alice, metadata={"a": "b"}, instructions="be brief")
    shown = answer.json
    assert answer.status_code == 200
    assert (shown["object"], shown["status"], shown["background"], shown["store"]) == ("response", "queued", True, True)
    assert (shown["metadata"], shown["instructions"], shown["model"]) == ({"a": "b"}, "be brief", MODEL)
    assert answer.headers["Location"] == f"http://localhost/v1/responses/{shown['id']}"
    assert answer.headers["x-respool-response-id"] == shown["id"]
    assert alice.get(f"/v1/responses/{shown['id']}").json == shown


def test_it_is_the_response_of_an_ordinary_job(alice: Caller) -> None:
    shown = begun(alice)
    job = alice.get(f"/v1/jobs/{shown['respool']['job_id']}").json
    assert job["response"] == {name: value for name, value in shown.items() if name != "respool"}
    theirs = alice.job()
    assert alice.get(f"/v1/responses/{theirs['response']['id']}").json["respool"]["job_id"] == theirs["id"]


@pytest.mark.parametrize("status", ["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"])
def test_every_status_is_shown_in_the_protocols_own_terms(status: str, alice: Caller, bench: Bench) -> None:
    path = f"/v1/responses/{begun(alice)['id']}"
    if status == "cancelled":
        alice.post(f"{path}/cancel")
    elif status != "queued":
        claim = start(bench)
        if status == "failed":
            bench.runs("w1").finish(claim, FAILURE, FAILED)
        elif status != "in_progress":
            finish(bench, claim, status=status)
    shown = alice.get(path).json
    assert shown["status"] == status
    ResponseResource.model_validate(shown)
    Response.model_validate(shown, strict=True)


def test_our_own_options_come_in_one_object_and_steer_the_job(alice: Caller, bench: Bench) -> None:
    chosen = {"priority": 7, "max_attempts": 2, "on_unknown": "fail", "estimated_tokens": 500, "webhook": WEBHOOK}
    times = {"queue_deadline_seconds": 60, "run_timeout_seconds": 30}
    shown = begun(alice, respool=chosen | times)
    job = alice.get(f"/v1/jobs/{shown['respool']['job_id']}").json
    assert {name: job[name] for name in chosen | times if name != "webhook"} == {
        name: value for name, value in (chosen | times).items() if name != "webhook"
    }
    assert job["webhook"]["url"] == WEBHOOK["url"]
    assert "respool" not in json.loads(bench.runs().body(start(bench)))


def test_the_secret_of_a_webhook_is_kept_nowhere_in_the_open(alice: Caller, bench: Bench) -> None:
    number = number_of(begun(alice, respool={"webhook": WEBHOOK}))
    assert not any(SECRET.encode() in value for value in bench.client.hgetall(keys.job(number)).values())


def test_what_the_service_knows_comes_out_in_one_object(alice: Caller, bench: Bench) -> None:
    waits = begun(alice, respool={"priority": 2})["respool"]
    assert (waits["position"], waits["jobs_ahead"], waits["waiting_reason"]) == (1, 0, "no_worker")
    assert (waits["priority"], waits["attempts"], waits["currency"], waits["error"]) == (2, [], "USD", None)
    finish(bench, start(bench))
    (shown,) = alice.get("/v1/responses").json["data"]
    assert shown["respool"]["position"] is None
    assert [attempt["outcome"] for attempt in shown["respool"]["attempts"]] == ["completed"]


def test_what_the_protocol_cannot_say_stands_beside_it(alice: Caller) -> None:
    shown = begun(alice, reasoning={"effort": "minimal"})
    assert shown["respool"]["request"] == {"reasoning": {"effort": "minimal"}}
    assert shown["respool"]["job_id"].startswith("job_")


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"top_p": 2}, "top_p"), ({"input": [{"role": "user"}]}, "input[0].content"), ({"model": "x"}, "model"),
        ({"respool": {"prioritty": 1}}, "respool.prioritty"), ({"respool": {"priority": 10}}, "respool.priority"),
        ({"respool": {"account": "x"}}, "respool.account"), ({"respool": []}, "respool"),
        ({"respool": {"webhook": {"url": "https://127.0.0.1/x", "secret": SECRET}}}, "respool.webhook.url"),
        ({"store": False}, "store"), ({"metadata": {str(n): "" for n in range(17)}}, "metadata"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_by_its_place(changes: dict[str, Any], param: str, alice: Caller) -> None:
    refused = create(alice, **changes)
    assert refused.status_code == 400
    assert (error_of(refused)["param"], error_of(refused)["type"]) == (param, "invalid_request_error")
    assert alice.get("/v1/jobs").json["data"] == []


def test_an_option_is_unknown_also_where_unknown_fields_are_passed_on(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(unknown_fields="forward").test_client(), alice.key)
    assert error_of(create(caller, respool={"prioritty": 1}, brand_new=1))["param"] == "respool.prioritty"
    assert create(caller, brand_new=1).status_code == 200


def test_one_key_and_one_body_are_one_response(alice: Caller) -> None:
    first = create(alice, headers={"Idempotency-Key": "k"})
    again = create(alice, headers={"Idempotency-Key": "k"})
    assert again.json == first.json
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert create(alice, input="other", headers={"Idempotency-Key": "k"}).status_code == 422


def test_what_an_sdk_sends_again_is_the_same_response(alice: Caller) -> None:
    first = create(alice, headers={"x-stainless-retry-count": "0"})
    assert create(alice, headers={"x-stainless-retry-count": "1"}).json["id"] == first.json["id"]


def test_the_limits_of_the_project_hold_and_are_told(alice: Caller, admin: Caller) -> None:
    admin.ask("PATCH", "/v1/projects/alice", json={"submits_per_minute": 1})
    assert create(alice).headers["x-ratelimit-remaining-requests"] == "0"
    refused = create(alice)
    assert (refused.status_code, error_of(refused)["type"]) == (429, "rate_limit_error")
    assert refused.headers["x-ratelimit-limit-requests"] == "1"
    assert "x-respool-response-id" not in refused.headers


def test_who_polls_is_told_when_to_come_again_until_the_end(alice: Caller, bench: Bench) -> None:
    answer = create(alice)
    path = f"/v1/responses/{answer.json['id']}"
    assert answer.headers["openai-poll-after-ms"] == "5000"
    claim = start(bench)
    assert alice.get(path).headers["openai-poll-after-ms"] == "500"
    finish(bench, claim)
    assert "openai-poll-after-ms" not in alice.get(path).headers


def test_parameters_that_sdks_send_are_passed_over(alice: Caller) -> None:
    shown = begun(alice, include=["message.output_text.logprobs"])
    path = f"/v1/responses/{shown['id']}?include[]=reasoning.encrypted_content&include_obfuscation=false&new=1"
    assert alice.get(path).json == shown


@pytest.mark.parametrize("query", ["stream=maybe", "starting_after=x", "starting_after=-1", "starting_after=1.5"])
def test_a_wrong_parameter_is_refused_by_name(query: str, alice: Caller) -> None:
    refused = alice.get(f"/v1/responses/{begun(alice)['id']}?{query}")
    assert (refused.status_code, error_of(refused)["param"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize("response_id", ["nonsense", NOTHING, f"job_{'0' * 32}", "resp_" + "x" * 32])
@pytest.mark.parametrize(
    ("verb", "more"),
    [("GET", ""), ("GET", "?stream=true"), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/input_items")],
)
def test_a_response_that_does_not_exist_is_not_found(verb: str, more: str, response_id: str, alice: Caller) -> None:
    answer = alice.ask(verb, f"/v1/responses/{response_id}{more}")
    assert answer.status_code == 404
    assert error_of(answer) == {
        "message": f"Response with id '{response_id}' not found.", "type": "invalid_request_error",
        "param": "response_id", "code": "response_not_found",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["compact", "input_tokens"])
def test_what_is_not_offered_is_no_response_of_that_name(name: str, alice: Caller) -> None:
    refused = alice.post(f"/v1/responses/{name}", json={"input": "x"})
    assert (refused.status_code, error_of(refused)["code"]) == (404, "not_offered")


def test_an_admin_sees_the_responses_of_all(alice: Caller, admin: Caller) -> None:
    shown = begun(alice)
    assert admin.get(f"/v1/responses/{shown['id']}").json == shown
    assert [one["id"] for one in admin.get("/v1/responses").json["data"]] == [shown["id"]]


@pytest.mark.parametrize("sent", [{}, {"data": b"not json"}, {"data": b"", "content_type": "application/json"}])
def test_a_cancel_takes_any_body_and_cancels_once(sent: dict[str, Any], alice: Caller) -> None:
    path = f"/v1/responses/{begun(alice)['id']}/cancel"
    answers = [alice.post(path, **sent), alice.post(path, **sent)]
    assert [(answer.status_code, answer.json["status"]) for answer in answers] == [(200, "cancelled")] * 2
    assert answers[0].json == answers[1].json


def test_cancelling_what_ended_answers_its_end(alice: Caller, bench: Bench) -> None:
    whole = ended(alice, bench)
    assert alice.post(f"/v1/responses/{whole['id']}/cancel").json == whole


def test_only_one_in_the_background_can_be_cancelled(alice: Caller) -> None:
    number = create(alice, background=None, headers={"Prefer": "wait=0.01"}).headers["x-respool-response-id"]
    refused = alice.post(f"/v1/responses/{number}/cancel")
    assert (refused.status_code, error_of(refused)["type"]) == (400, "invalid_request_error")
    assert alice.get(f"/v1/responses/{number}").json["background"] is False


@pytest.mark.parametrize("is_ended", [False, True])
def test_a_deleted_response_is_gone(is_ended: bool, alice: Caller, bench: Bench) -> None:
    path = f"/v1/responses/{(ended(alice, bench) if is_ended else begun(alice))['id']}"
    assert alice.delete(path).json == {"id": path.rpartition("/")[2], "object": "response", "deleted": True}
    for verb, more in [("GET", ""), ("POST", "/cancel"), ("DELETE", ""), ("GET", "/input_items")]:
        assert alice.ask(verb, path + more).status_code == 404
    assert alice.get("/v1/responses").json["data"] == []


def test_one_that_runs_is_gone_at_once_and_removed_when_its_call_is_hung_up(alice: Caller, bench: Bench) -> None:
    shown = begun(alice)
    claim, path = start(bench), f"/v1/responses/{shown['id']}"
    assert alice.delete(path).status_code == 200
    assert [alice.get(p).status_code for p in (path, f"/v1/jobs/job_{claim.number}")] == [404, 404]
    assert alice.get("/v1/responses").json["data"] == []
    assert bench.slots(claim.lane) == {claim.number}
    assert bench.beat("w1") == [claim.number]
    bench.runs("w1").finish(claim, FAILURE, FAILED)
    assert bench.slots(claim.lane) == set()
    bench.make_due("ended")
    bench.sweep()
    assert not bench.client.exists(keys.job(claim.number))


def test_a_list_is_newest_first_and_goes_on_page_by_page(alice: Caller, bench: Bench) -> None:
    ids = [begun(alice)["id"] for _ in range(3)][::-1]
    page = alice.get("/v1/responses?limit=2&order=desc").json
    assert ([one["id"] for one in page["data"]], page["has_more"]) == (ids[:2], True)
    assert (page["first_id"], page["last_id"]) == (ids[0], ids[1])
    rest = alice.get(f"/v1/responses?limit=2&after={page['last_id']}").json
    assert ([one["id"] for one in rest["data"]], rest["has_more"]) == (ids[2:], False)
    assert [one["id"] for one in alice.get("/v1/responses?status=queued").json["data"]] == ids
    assert alice.get("/v1/responses?status=completed").json["data"] == []


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "status=x", "order=asc", "after=x", f"after={NOTHING}"])
def test_a_wrong_list_is_refused_by_name(query: str, alice: Caller) -> None:
    refused = alice.get(f"/v1/responses?{query}")
    assert (refused.status_code, error_of(refused)["param"]) == (400, query.partition("=")[0])


def test_a_text_is_one_item_of_the_user(alice: Caller) -> None:
    page = alice.get(f"/v1/responses/{begun(alice, input='hello')['id']}/input_items").json
    (item,) = page["data"]
    assert (item["type"], item["role"], item["status"]) == ("message", "user", "completed")
    assert item["content"] == [{"type": "input_text", "text": "hello"}]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (item["id"], item["id"], False)


def test_items_are_paged_newest_first_if_nothing_is_said(alice: Caller) -> None:
    given = [{"role": "user", "content": str(n)} for n in range(25)]
    path = f"/v1/responses/{begun(alice, input=given)['id']}/input_items"
    first = alice.get(f"{path}?include[]=x").json
    assert [item["content"][0]["text"] for item in first["data"]] == [str(n) for n in range(24, 4, -1)]
    rest = alice.get(f"{path}?after={first['last_id']}").json
    assert [item["content"][0]["text"] for item in rest["data"]] == ["4", "3", "2", "1", "0"]
    oldest = alice.get(f"{path}?order=asc&limit=1").json
    assert (oldest["data"][0]["content"][0]["text"], oldest["has_more"]) == ("0", True)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "order=x", "after=x"])
def test_wrong_pages_of_items_are_refused_by_name(query: str, alice: Caller) -> None:
    refused = alice.get(f"/v1/responses/{begun(alice)['id']}/input_items?{query}")
    assert (refused.status_code, error_of(refused)["param"]) == (400, query.partition("=")[0])


def test_a_job_takes_the_options_of_its_request_and_its_own_win(alice: Caller) -> None:
    inner = {"priority": 1, "max_attempts": 2, "webhook": WEBHOOK}
    job = alice.job(request={"respool": inner}, priority=8, webhook=None)
    assert (job["priority"], job["max_attempts"], job["webhook"]) == (8, 2, None)
    refused = alice.submit(request={"respool": {"webhook": {"url": "https://localhost/x", "secret": SECRET}}})
    assert error_of(refused)["param"] == "request.respool.webhook.url"


def test_an_output_of_functions_is_shown_as_it_came(alice: Caller, bench: Bench) -> None:
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert [item["type"] for item in ended(alice, bench, output=[call, MESSAGE])["output"]] == [
        "function_call",
        "message",
    ]
