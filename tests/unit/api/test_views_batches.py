import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import redis
import schemathesis
from flask import Flask
from hypothesis import given, settings
from openai.types import Batch
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance

from jobs import keys
from jobs.batches import store as batch_store
from jobs.claims import Claim
from tests.factories import MODEL
from tests.fakes.bench import FAILED, Bench
from tests.unit.api.batches import begin, begun, line, lines_file, moved_to, runner_at
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.files import uploaded
from tests.unit.api.responses import fail, finish, start
from worker.batches.runner import BatchRunner

NOTHING = "batch_" + "0" * 32
SECRET = "whsec_" + "bm90IGEgc2VjcmV0LCBvbmx5IGFuIGV4YW1wbGU="
HOOK = {"url": "https://hooks.example.com/respool", "secret": SECRET}
BY_ID = [
    ("GET", "/v1/batches/{}"), ("POST", "/v1/batches/{}/cancel"), ("GET", "/v1/batches/{}/lines"),
    ("POST", "/v1/batches/{}/retry"),
]  # fmt: skip
ROUTES = [*BY_ID, ("GET", "/v1/batches"), ("POST", "/v1/batches")]


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


def test_a_new_batch_is_the_protocols_and_is_validated_next(alice: Caller) -> None:
    file_id = lines_file(alice)
    batch = begin(alice, file_id, metadata={"a": "b"}).json
    Batch.model_validate(batch, strict=True)
    assert (batch["status"], batch["input_file_id"], batch["metadata"]) == ("validating", file_id, {"a": "b"})
    assert (batch["endpoint"], batch["completion_window"]) == ("/v1/responses", "24h")
    assert batch["expires_at"] - batch["created_at"] == pytest.approx(86400, abs=1)
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    for name in ("errors", "model", "usage", "output_file_id", "error_file_id", "in_progress_at", "cancelled_at"):
        assert batch[name] is None
    assert alice.get(f"/v1/batches/{batch['id']}").json == batch


def test_a_batch_without_options_has_the_lowest_priority(alice: Caller) -> None:
    assert begun(alice)["respool"] == {
        "project": "alice", "lines_submitted": 0, "waiting_reason": None, "completion_window_seconds": 86400,
        "priority": 0, "options": {}, "retry_of": None, "cost": None, "currency": "USD", "webhook": None,
    }  # fmt: skip


def test_options_of_ours_are_shown_and_no_secret_is(alice: Caller) -> None:
    options = {"priority": 3, "max_attempts": 2, "completion_window_seconds": 90, "webhook": HOOK}
    batch = begun(alice, respool=options)
    assert batch["completion_window"] == "90s"
    assert batch["expires_at"] - batch["created_at"] == pytest.approx(90, abs=1)
    assert batch["respool"]["options"] == {"priority": 3, "max_attempts": 2}
    assert (batch["respool"]["priority"], batch["respool"]["completion_window_seconds"]) == (3, 90)
    assert batch["respool"]["webhook"] == {"url": HOOK["url"], "events": None, "include": "id", "has_secret": True}
    assert SECRET not in alice.get(f"/v1/batches/{batch['id']}").text


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"endpoint": "/v1/embeddings"}, "endpoint"),
        ({"completion_window": "1h"}, "completion_window"),
        ({"metadata": {"a": "x" * 513}}, "metadata.a"),
        ({"respool": {"webhook": {"url": "http://127.0.0.1/x", "secret": SECRET}}}, "respool.webhook.url"),
        ({"respool": {"webhook": {"url": HOOK["url"], "secret": "x"}}}, "respool.webhook.secret"),
        ({"respool": {"account": "nobody"}}, "respool.account"),
        ({"unheard": 1}, "unheard"),
    ],
)
def test_a_mistake_in_the_body_is_named_and_makes_no_batch(fields: dict[str, Any], param: str, alice: Caller) -> None:
    answer = begin(alice, **fields)
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)
    assert alice.get("/v1/batches").json["data"] == []


def test_a_file_that_is_not_for_batches_or_not_there_is_named(alice: Caller, bob: Caller) -> None:
    for file_id, why in (
        (uploaded(alice)["id"], "is for user_data"),
        (lines_file(bob), "No such File object"),
        ("file-" + "0" * 32, "No such File object"),
        ("file-x", "No such File object"),
    ):
        error = error_of(answer := begin(alice, file_id))
        assert (answer.status_code, error["param"], error["code"]) == (400, "input_file_id", "invalid_value")
        assert why in error["message"]


def test_a_file_that_a_batch_reads_stays(alice: Caller) -> None:
    file_id = lines_file(alice)
    begin(alice, file_id)
    answer = alice.delete(f"/v1/files/{file_id}")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "file_in_use")
    assert alice.get(f"/v1/files/{file_id}").status_code == 200


def test_pages_go_from_the_newest_on(alice: Caller) -> None:
    ids = [begun(alice)["id"] for _ in range(5)][::-1]
    page = alice.get("/v1/batches?limit=2").json
    assert [batch["id"] for batch in page["data"]] == ids[:2]
    assert (page["first_id"], page["last_id"], page["has_more"]) == (ids[0], ids[1], True)
    page = alice.get(f"/v1/batches?limit=3&after={ids[1]}").json
    assert ([batch["id"] for batch in page["data"]], page["has_more"]) == (ids[2:], False)
    assert alice.get(f"/v1/batches?after={ids[4]}").json == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("query", "param"),
    [("limit=0", "limit"), ("limit=101", "limit"), (f"after={NOTHING}", "after"), ("after=x", "after"), ("x=1", "x")],
)
def test_a_query_of_the_list_that_is_not_understood_is_refused(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/batches?{query}")
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


@pytest.mark.parametrize(
    ("query", "param"), [("limit=0", "limit"), ("limit=101", "limit"), ("after=-1", "after"), ("status=x", "status")]
)
def test_a_query_of_the_lines_that_is_not_understood_is_refused(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/batches/{begun(alice)['id']}/lines?{query}")
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


def test_cancelling_again_changes_nothing(alice: Caller) -> None:
    path = f"/v1/batches/{begun(alice)['id']}/cancel"
    first, second = alice.post(path), alice.post(path, headers={"Content-Type": "application/json"})
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json["status"] == "cancelling"
    assert first.json["cancelling_at"] is not None
    assert second.json == first.json


def test_a_batch_that_has_not_ended_is_not_sent_again(alice: Caller) -> None:
    answer = alice.post(f"/v1/batches/{begun(alice)['id']}/retry")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "batch_not_ended")


def test_the_same_key_is_the_same_batch(alice: Caller, bob: Caller) -> None:
    file_id, key = lines_file(alice), {"Idempotency-Key": "one"}
    first, again = begin(alice, file_id, headers=key), begin(alice, file_id, headers=key)
    assert again.json == first.json
    assert (first.headers.get("Idempotent-Replayed"), again.headers["Idempotent-Replayed"]) == (None, "true")
    assert begin(bob, headers=key).json["id"] != first.json["id"]
    assert begin(alice, file_id).json["id"] != first.json["id"]
    other = begin(alice, file_id, headers=key, metadata={"another": "body"})
    assert (other.status_code, error_of(other)["code"]) == (422, "idempotency_key_reused")
    assert len(alice.get("/v1/batches").json["data"]) == 2


def test_what_an_sdk_repeats_is_the_batch_of_its_first_try(alice: Caller) -> None:
    file_id, repeat = lines_file(alice), {"x-stainless-retry-count": "1"}
    first = begin(alice, file_id, headers={"x-stainless-retry-count": "0"}, respool={"webhook": HOOK}).json
    assert begin(alice, file_id, headers=repeat, respool={"webhook": HOOK}).json == first
    others = [
        begin(alice, file_id, headers={"x-stainless-retry-count": "0"}, respool={"webhook": HOOK}).json["id"],
        begin(alice, file_id, headers=repeat).json["id"],
        begin(alice, lines_file(alice), headers=repeat, respool={"webhook": HOOK}).json["id"],
    ]
    assert len({first["id"], *others}) == 4


def test_a_repeat_whose_first_try_made_nothing_makes_the_batch(alice: Caller) -> None:
    assert begin(alice, headers={"x-stainless-retry-count": "1"}).status_code == 200
    assert len(alice.get("/v1/batches").json["data"]) == 1


def test_a_project_makes_so_many_batches_an_hour(alice: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch_store, "MOST_BATCHES_AN_HOUR", 2)
    file_id = lines_file(alice)
    assert [begin(alice, file_id).status_code for _ in range(3)] == [200, 200, 429]
    answer = begin(alice, file_id)
    assert (error_of(answer)["code"], error_of(answer)["type"]) == ("too_many_batches", "rate_limit_error")
    assert (answer.headers["x-should-retry"], answer.headers["Retry-After"]) == ("false", "60")


@pytest.mark.parametrize(("verb", "path"), BY_ID)
def test_anothers_batch_answers_as_one_that_does_not_exist_and_stays_as_it_is(
    verb: str, path: str, alice: Caller, bob: Caller, admin: Caller, store_client: redis.Redis
) -> None:
    batch_id = begun(alice)["id"]
    before = store_client.dump(keys.batch(batch_id.removeprefix("batch_")))
    for unknown in (batch_id, NOTHING, "batch_x"):
        answer = bob.ask(verb, path.format(unknown))
        assert answer.status_code == 404
        assert error_of(answer) == {
            "message": f"No such batch: {unknown}",
            "type": "invalid_request_error",
            "param": "batch_id",
            "code": "batch_not_found",
        }
    assert bob.get("/v1/batches").json["data"] == []
    assert bob.get(f"/v1/batches?after={batch_id}").text == bob.get(f"/v1/batches?after={NOTHING}").text
    assert store_client.dump(keys.batch(batch_id.removeprefix("batch_"))) == before
    assert admin.get(f"/v1/batches/{batch_id}").status_code == 200
    assert [batch["id"] for batch in admin.get("/v1/batches").json["data"]] == [batch_id]


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_nothing_is_done_without_a_key(verb: str, path: str, nobody: Caller) -> None:
    assert nobody.ask(verb, path.format(NOTHING)).status_code == 401


@pytest.mark.parametrize(("verb", "path"), ROUTES)
def test_a_service_without_a_folder_says_which_setting_it_lacks(
    verb: str, path: str, make_app: AppMaker, alice: Caller
) -> None:
    without = Caller(make_app().test_client(), alice.key)
    answer = without.ask(verb, path.format(NOTHING))
    assert (answer.status_code, error_of(answer)["code"]) == (501, "files_not_configured")
    assert answer.headers["x-should-retry"] == "false"


@pytest.fixture
def runner(store_client: redis.Redis, tmp_path: Path) -> BatchRunner:
    return runner_at(tmp_path / "files", store_client)


def started(bench: Bench) -> list[Claim]:
    """All jobs that wait, under way in their order."""
    bench.beat("w1")
    bench.dispatch("w1")
    return bench.claim("w1")


def refuse(bench: Bench, claim: Claim) -> None:
    fail(bench, claim, replace(FAILED, http_status=400), code="invalid_prompt")


def content(caller: Caller, file_id: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in caller.get(f"/v1/files/{file_id}/content").text.splitlines()]


def half_done(caller: Caller, runner: BatchRunner, bench: Bench) -> tuple[dict[str, Any], Claim]:
    """A batch; of its lines one has completed, one failed, one was refused, and one still runs."""
    lines = (line("good"), line("bad"), b"\n", line("refused", temperature=3), line("running"))
    batch = moved_to(caller, begun(caller, *lines)["id"], runner, "in_progress", lines=4)
    good, bad, running = started(bench)
    finish(bench, good)
    refuse(bench, bad)
    return batch, running


def test_results_are_read_while_the_batch_runs(alice: Caller, runner: BatchRunner, bench: Bench) -> None:
    batch, _ = half_done(alice, runner, bench)
    path = f"/v1/batches/{batch['id']}/lines"
    page = alice.get(path).json
    good, bad, refused, running = page["data"]
    assert [(shown["line"], shown["custom_id"], shown["status"]) for shown in page["data"]] == [
        (1, "good", "completed"), (2, "bad", "failed"), (4, "refused", "failed"), (5, "running", "in_progress"),
    ]  # fmt: skip
    assert good["response"]["body"] == {
        name: value for name, value in alice.get(f"/v1/responses/{good['response_id']}").json.items()
        if name != "respool"
    }  # fmt: skip
    assert (good["response"]["status_code"], good["response"]["request_id"]) == (200, good["job_id"])
    assert bad["response"]["status_code"] == 400
    assert bad["response"]["body"]["error"]["code"] == "invalid_prompt"
    assert refused["response"]["body"]["error"]["param"] == "body.temperature"
    assert (refused["job_id"], refused["response_id"]) == (None, None)
    assert (running["response"], running["error"]) == (None, None)
    assert alice.get(f"/v1/jobs/{running['job_id']}").json["status"] == "in_progress"
    assert (page["cursor"], page["has_more"]) == (5, False)
    shown = alice.get(f"/v1/batches/{batch['id']}").json
    assert shown["request_counts"] == {"total": 4, "completed": 1, "failed": 2}
    assert shown["model"] == MODEL


def test_pages_of_lines_go_on_behind_their_cursor(alice: Caller, runner: BatchRunner, bench: Bench) -> None:
    batch, _ = half_done(alice, runner, bench)
    path = f"/v1/batches/{batch['id']}/lines"
    page = alice.get(f"{path}?limit=3").json
    assert ([shown["line"] for shown in page["data"]], page["cursor"], page["has_more"]) == ([1, 2, 4], 4, True)
    assert [shown["line"] for shown in alice.get(f"{path}?after=4").json["data"]] == [5]
    assert [shown["line"] for shown in alice.get(f"{path}?status=failed").json["data"]] == [2, 4]
    assert alice.get(f"{path}?after=5").json == {"object": "list", "data": [], "cursor": 5, "has_more": False}


def test_the_end_of_a_batch_is_in_its_files_and_its_lines(alice: Caller, runner: BatchRunner, bench: Bench) -> None:
    batch, running = half_done(alice, runner, bench)
    finish(bench, running)
    batch = moved_to(alice, batch["id"], runner, "completed")
    Batch.model_validate(batch, strict=True)
    lines = {shown["custom_id"]: shown for shown in alice.get(f"/v1/batches/{batch['id']}/lines").json["data"]}
    output, errors = content(alice, batch["output_file_id"]), content(alice, batch["error_file_id"])
    assert [told["custom_id"] for told in output] == ["good", "running"]
    assert [told["custom_id"] for told in errors] == ["bad", "refused"]
    for told in (*output, *errors):
        assert told.items() <= lines[told["custom_id"]].items()
    assert batch["usage"]["total_tokens"] == 6
    listed = alice.get("/v1/files?purpose=batch_output").json["data"]
    assert {file["id"] for file in listed} == {batch["output_file_id"], batch["error_file_id"]}


def test_what_failed_is_sent_again_alone(alice: Caller, runner: BatchRunner, bench: Bench) -> None:
    options = {"max_attempts": 2, "webhook": HOOK}
    lines = (line("good"), line('\u2028 "bad"\n', temperature=0.5))
    file = (b"\n", lines[0], b" \r\n", lines[1])
    batch = moved_to(alice, begun(alice, *file, respool=options)["id"], runner, "in_progress", lines=2)
    good, bad = started(bench)
    finish(bench, good)
    refuse(bench, bad)
    batch = moved_to(alice, batch["id"], runner, "completed")
    again = alice.post(f"/v1/batches/{batch['id']}/retry").json
    assert (again["status"], again["respool"]["retry_of"]) == ("validating", batch["id"])
    assert alice.get(f"/v1/files/{again['input_file_id']}/content").data == lines[1]
    for name in ("options", "webhook", "completion_window_seconds"):
        assert again["respool"][name] == batch["respool"][name]
    moved_to(alice, again["id"], runner, "in_progress", lines=1)
    finish(bench, start(bench))
    again = moved_to(alice, again["id"], runner, "completed")
    assert [told["custom_id"] for told in content(alice, again["output_file_id"])] == ['\u2028 "bad"\n']
    answer = alice.post(f"/v1/batches/{again['id']}/retry")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "nothing_to_retry")


def test_a_retry_that_is_sent_again_is_the_same_batch(alice: Caller, runner: BatchRunner) -> None:
    batch = moved_to(alice, begun(alice, line("bad", temperature=3))["id"], runner, "completed")
    path, key = f"/v1/batches/{batch['id']}/retry", {"Idempotency-Key": "one"}
    first, again = alice.post(path, headers=key).json, alice.post(path, headers=key)
    assert (again.json, again.headers["Idempotent-Replayed"]) == (first, "true")
    assert alice.post(path, headers={"x-stainless-retry-count": "1"}).json == first
    assert len(alice.get("/v1/files?purpose=batch").json["data"]) == 2
    assert alice.post(path).json["id"] != first["id"]


def test_a_batch_whose_files_are_gone_is_not_sent_again(alice: Caller, runner: BatchRunner) -> None:
    for name in ("input_file_id", "error_file_id"):
        batch = moved_to(alice, begun(alice, line("bad", temperature=3))["id"], runner, "completed")
        assert alice.delete(f"/v1/files/{batch[name]}").status_code == 200
        answer = alice.post(f"/v1/batches/{batch['id']}/retry")
        assert (answer.status_code, error_of(answer)["code"]) == (400, "file_gone")
    assert len(alice.get("/v1/batches").json["data"]) == 2


def test_a_retry_that_is_one_batch_too_many_leaves_no_file(
    alice: Caller, runner: BatchRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = moved_to(alice, begun(alice, line("bad", temperature=3))["id"], runner, "completed")
    monkeypatch.setattr(batch_store, "MOST_BATCHES_AN_HOUR", 1)
    assert alice.post(f"/v1/batches/{batch['id']}/retry").status_code == 429
    assert len(alice.get("/v1/files?purpose=batch").json["data"]) == 1


def test_a_file_that_is_wrong_is_told_line_by_line(alice: Caller, runner: BatchRunner) -> None:
    batch = moved_to(alice, begun(alice, line("a"), b"{\n", line("a"))["id"], runner, "failed")
    Batch.model_validate(batch, strict=True)
    assert [(mistake["line"], mistake["param"]) for mistake in batch["errors"]["data"]] == [(2, None), (3, "custom_id")]
    assert batch["failed_at"] is not None
    assert alice.get("/v1/jobs").json["data"] == []


def test_batches_are_what_the_document_says(alice: Caller, runner: BatchRunner, bench: Bench) -> None:
    document = alice.get("/openapi.json").json
    moved_to(alice, begun(alice, b"{")["id"], runner, "failed")
    batch, _ = half_done(alice, runner, bench)
    begun(alice, respool={"webhook": HOOK}, metadata={"a": "b"})
    shown = {
        "Batch": alice.post(f"/v1/batches/{batch['id']}/cancel"),
        "BatchList": alice.get("/v1/batches"),
        "BatchLineList": alice.get(f"/v1/batches/{batch['id']}/lines"),
    }
    for name, answer in shown.items():
        wanted = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        validator = jsonschema_rs.Draft202012Validator(wanted)
        assert [mistake.message for mistake in validator.iter_errors(answer.json)] == []


@pytest.mark.parametrize(
    ("verb", "path"),
    [
        ("POST", "/v1/batches"), ("GET", "/v1/batches"), ("GET", "/v1/batches/{batch_id}"),
        ("POST", "/v1/batches/{batch_id}/cancel"), ("GET", "/v1/batches/{batch_id}/lines"),
        ("POST", "/v1/batches/{batch_id}/retry"),
    ],
)  # fmt: skip
def test_generated_calls_are_answered_as_the_document_says(verb: str, path: str, app: Flask, alice: Caller) -> None:
    operation, batch_id = schemathesis.openapi.from_wsgi("/openapi.json", app)[path][verb], begun(alice)["id"]

    @settings(settings.get_profile("api"), max_examples=40)
    @given(case=operation.as_strategy())
    def answered_as_described(case: schemathesis.Case) -> None:
        if "batch_id" in path:
            case.path_parameters = {"batch_id": batch_id}
        if isinstance(case.body, dict) and "input_file_id" in case.body:
            case.body["input_file_id"] = file_id
        case.call_and_validate(
            headers={"Authorization": f"Bearer {alice.key}"}, checks=(not_a_server_error, response_schema_conformance)
        )

    file_id = lines_file(alice)
    answered_as_described()
