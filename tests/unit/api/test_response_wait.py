"""Responses that are waited for, on one connection."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from flask import Flask
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from api.response_wait import has_left
from api.services import EXTENSION
from jobs import keys
from tests.factories import MODEL
from tests.fakes.bench import FAILED, Bench
from tests.fakes.waiting import wait_until
from tests.unit.api.conftest import Caller, error_of
from tests.unit.api.responses import create, fail, finish, start


@contextmanager
def waiting(caller: Caller, bench: Bench, **changes: Any) -> Iterator[list[TestResponse]]:
    """Somebody waits for a new response; the answer is in the list after the block."""
    answers: list[TestResponse] = []
    thread = threading.Thread(target=lambda: answers.append(create(caller, **{"background": None} | changes)))
    thread.start()
    wait_until(lambda: bool(bench.client.exists(keys.backlog_jobs(f"*:{MODEL}", "alice"))))
    yield answers
    thread.join(20)


def test_without_background_the_answer_is_the_response_at_its_end(alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench) as answers:
        claim = start(bench)
        finish(bench, claim)
    (answer,) = answers
    assert (answer.status_code, answer.json["status"], answer.json["background"]) == (200, "completed", False)
    assert answer.json["output"][0]["content"][0]["text"] == "hi"
    assert answer.headers["x-respool-response-id"] == answer.json["id"] == f"resp_{claim.number}"
    assert answer.headers["Location"].endswith(f"/v1/responses/resp_{claim.number}")
    assert alice.get(f"/v1/responses/{answer.json['id']}").json == answer.json


def test_one_that_stops_early_is_an_answer_too(alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench) as answers:
        finish(bench, start(bench), status="incomplete")
    assert [(answer.status_code, answer.json["status"]) for answer in answers] == [(200, "incomplete")]


def test_one_that_fails_answers_the_upstreams_error_and_its_id(alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench) as answers:
        claim = start(bench)
        raw = b'{"error": {"code": "InvalidParameter", "param": "input[0]", "message": "no"}}'
        fail(bench, claim, FAILED, code="InvalidParameter", raw=raw)
    (answer,) = answers
    assert (answer.status_code, answer.headers["x-should-retry"]) == (400, "false")
    assert error_of(answer) == {
        "message": "no", "type": "invalid_request_error", "param": "input[0]", "code": "InvalidParameter"
    }  # fmt: skip
    assert answer.headers["x-respool-response-id"] == f"resp_{claim.number}"
    assert alice.get(f"/v1/responses/resp_{claim.number}").json["status"] == "failed"


def test_one_that_is_cancelled_by_another_says_so(alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench) as answers:
        (job,) = alice.get("/v1/jobs").json["data"]
        alice.post(f"/v1/jobs/{job['id']}/cancel")
    assert [(answer.status_code, error_of(answer)["code"]) for answer in answers] == [(400, "response_cancelled")]


def test_a_wait_ends_with_its_process_and_an_sdks_repeat_goes_on(app: Flask, alice: Caller, bench: Bench) -> None:
    headers = {"x-stainless-retry-count": "0"}
    with waiting(alice, bench, headers=headers) as answers:
        app.extensions[EXTENSION].endings.close()
    (answer,) = answers
    assert (answer.status_code, error_of(answer)["code"]) == (503, "wait_interrupted")
    assert (answer.headers["x-should-retry"], answer.headers["Retry-After"]) == ("true", "1")
    again = create(alice, background=None, headers={"x-stainless-retry-count": "1"})
    assert again.headers["x-respool-response-id"] == answer.headers["x-respool-response-id"]
    assert len(alice.get("/v1/jobs").json["data"]) == 1


def test_a_wait_that_is_too_long_answers_the_id_and_the_job_goes_on(alice: Caller, bench: Bench) -> None:
    answer = create(alice, background=False, headers={"Prefer": "wait=0.01"})
    response_id = answer.headers["x-respool-response-id"]
    assert (answer.status_code, error_of(answer)["code"]) == (504, "wait_timeout")
    assert response_id in error_of(answer)["message"]
    assert "(queued: no_worker)" in error_of(answer)["message"]
    assert answer.headers["x-should-retry"] == "false"
    finish(bench, start(bench))
    assert alice.get(f"/v1/responses/{response_id}").json["status"] == "completed"


def test_who_wishes_not_to_wait_is_answered_at_once(alice: Caller) -> None:
    answer = create(alice, background=False, headers={"Prefer": "wait=0"})
    assert (answer.status_code, error_of(answer)["code"]) == (504, "wait_timeout")


def test_one_that_is_deleted_by_another_is_an_answer_about_a_response(alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench) as answers:
        (shown,) = alice.get("/v1/responses").json["data"]
        assert alice.delete(f"/v1/responses/{shown['id']}").status_code == 200
    (answer,) = answers
    found = (answer.status_code, error_of(answer)["code"])
    assert found in [(400, "response_cancelled"), (404, "response_not_found")]
    assert answer.headers["x-respool-response-id"] == shown["id"]


def test_one_that_fails_tells_what_the_limits_left_too(alice: Caller, admin: Caller, bench: Bench) -> None:
    admin.ask("PATCH", "/v1/projects/alice", json={"submits_per_minute": 5})
    with waiting(alice, bench) as answers:
        fail(bench, start(bench), FAILED, code="InvalidParameter")
    assert [answer.headers.get("x-ratelimit-remaining-requests") for answer in answers] == ["4"]


def test_what_an_sdk_sends_again_waits_for_the_same_response(alice: Caller, bench: Bench) -> None:
    first = create(alice, background=None, headers={"Prefer": "wait=0.01", "x-stainless-retry-count": "0"})
    finish(bench, start(bench))
    again = create(alice, background=None, headers={"x-stainless-retry-count": "1"})
    assert (again.status_code, again.json["id"]) == (200, first.headers["x-respool-response-id"])


@pytest.mark.parametrize("is_good", [True, False])
def test_what_is_not_to_be_stored_is_gone_once_it_was_answered(is_good: bool, alice: Caller, bench: Bench) -> None:
    with waiting(alice, bench, store=False) as answers:
        claim = start(bench)
        if is_good:
            finish(bench, claim)
        else:
            fail(bench, claim, FAILED, code="InvalidParameter")
    (answer,) = answers
    assert answer.status_code == (200 if is_good else 400)
    answer.close()
    assert alice.get(f"/v1/responses/resp_{claim.number}").status_code == 404
    assert not bench.client.exists(keys.job(claim.number), keys.attempts(claim.number))


def test_what_is_not_to_be_stored_is_kept_for_ten_minutes_for_who_did_not_get_it(alice: Caller, bench: Bench) -> None:
    create(alice, background=None, store=False, headers={"Prefer": "wait=0.01"}).close()
    claim = start(bench)
    finish(bench, claim)
    shown = alice.get(f"/v1/responses/resp_{claim.number}").json
    assert (shown["status"], shown["store"]) == ("completed", False)
    assert shown["respool"]["expires_at"] - shown["respool"]["finished_at"] == pytest.approx(600, abs=0.01)


def test_a_client_who_has_left_is_noticed_and_one_who_waits_or_talks_is_not() -> None:
    ours, theirs = socket.socketpair()
    with closing(ours), closing(theirs):
        assert not has_left(ours)
        theirs.send(b"x")
        assert not has_left(ours)
        ours.recv(1)
        theirs.close()
        assert has_left(ours)
    assert has_left(ours)
    assert not has_left(None)


def test_a_client_who_goes_away_does_not_lose_the_job(app: Flask, alice: Caller, bench: Bench) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            body = f'{{"model": "{MODEL}", "input": "hello"}}'
            connection.sendall(
                f"POST /v1/responses HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {alice.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
            )
            wait_until(lambda: bool(bench.client.exists(keys.backlog_jobs(f"*:{MODEL}", "alice"))))
        claim = start(bench)
        finish(bench, claim)
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()
    assert alice.get(f"/v1/responses/resp_{claim.number}").json["status"] == "completed"
