import json
import re
import threading
from typing import Any

import pytest

from jobs.claims import Claim
from jobs.closings import Closing, End
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, FAILED, Bench
from tests.fakes.waiting import wait_until
from tests.unit.api.conftest import AppMaker, Caller, error_of, job_body

JOB_ID = re.compile(r"job_[0-9a-f]{32}\Z")
USAGE = {
    "input_tokens": 5,
    "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 0},
    "output_tokens": 3,
    "output_tokens_details": {"reasoning_tokens": 1},
    "total_tokens": 8,
}


def number_of(job: dict[str, Any]) -> str:
    return str(job["id"]).removeprefix("job_")


def start(bench: Bench) -> Claim:
    """The next job, under way at a worker."""
    bench.beat("w1")
    bench.dispatch("w1")
    (claim,) = bench.claim("w1")
    return claim


def listeners(bench: Bench) -> set[str]:
    """The connections on which processes listen for endings, those of tests before this one included."""
    return {connection["id"] for connection in bench.client.client_list(_type="pubsub")}


def complete(bench: Bench, claim: Claim, *, raw: bytes = b'{"id": "up"}') -> None:
    response = json.dumps({"id": f"resp_{claim.number}", "object": "response", "status": "completed"}).encode()
    closing = Closing(outcome="completed", delivery="answered", may_be_billed=True, usage=USAGE)
    end = End(status="completed", response=response, raw=raw, usage=USAGE)
    assert bench.runs("w1").finish(claim, end, closing) == "finished"


def test_a_submit_is_accepted_with_the_job_and_its_address(alice: Caller) -> None:
    answer = alice.submit(metadata={"a": "b"}, max_attempts=2, on_unknown="fail", queue_deadline_seconds=60.5)
    job = answer.json
    assert answer.status_code == 202
    assert JOB_ID.match(job["id"])
    assert answer.headers["Location"] == f"http://localhost/v1/jobs/{job['id']}"
    assert "Idempotent-Replayed" not in answer.headers
    assert (job["object"], job["status"], job["model"], job["project"]) == ("job", "queued", MODEL, "alice")
    assert (job["metadata"], job["max_attempts"], job["on_unknown"]) == ({"a": "b"}, 2, "fail")
    assert (job["queue_deadline_seconds"], job["run_timeout_seconds"]) == (60.5, 3600.0)
    assert (job["attempts"], job["usage"], job["error"], job["finished_at"]) == ([], None, None, None)
    assert job["response"]["id"] == job["id"].replace("job_", "resp_")
    assert alice.get(f"/v1/jobs/{job['id']}").json == job


def test_the_address_stands_under_the_public_url(make_app: AppMaker, alice: Caller) -> None:
    app = make_app(public_url="https://jobs.example/respool")
    job = Caller(app.test_client(), alice.key).submit()
    assert job.headers["Location"] == f"https://jobs.example/respool/v1/jobs/{job.json['id']}"


def test_what_goes_upstream_is_the_request_without_what_steers_us(alice: Caller, bench: Bench) -> None:
    asked = {"background": True, "respool": {"priority": 1}, "temperature": 0.5, "metadata": {"k": "v"}}
    job = alice.job(request=asked, metadata={"ours": "too"})
    sent = json.loads(bench.runs().body(start(bench)))
    assert sent == {"model": MODEL, "input": "hello", "temperature": 0.5, "metadata": {"k": "v"}, "stream": False}
    assert job["metadata"] == {"ours": "too"}


@pytest.mark.parametrize("given", [{}, {"metadata": None}])
def test_a_jobs_metadata_is_the_requests_where_it_has_none(given: dict[str, Any], alice: Caller) -> None:
    assert alice.job(request={"metadata": {"k": "v"}}, **given)["metadata"] == {"k": "v"}


def test_a_job_shows_its_attempt_and_its_end(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    claim = start(bench)
    under_way = alice.get(f"/v1/jobs/{job['id']}").json
    assert (under_way["status"], under_way["response"]["status"]) == ("in_progress", "in_progress")
    assert under_way["started_at"] is not None
    (attempt,) = under_way["attempts"]
    assert (attempt["number"], attempt["outcome"], attempt["finished_at"]) == (1, "running", None)
    complete(bench, claim)
    ended = alice.get(f"/v1/jobs/{job['id']}").json
    assert (ended["status"], ended["usage"], ended["attempts_spent"]) == ("completed", USAGE, 1)
    assert ended["created_at"] <= ended["started_at"] <= ended["finished_at"] < ended["expires_at"]
    (attempt,) = ended["attempts"]
    assert (attempt["outcome"], attempt["may_be_billed"], attempt["worker"]) == ("completed", True, "w1")
    assert ended["response"]["id"] == f"resp_{claim.number}"


@pytest.mark.parametrize(("raw", "shown"), [
    (b'{"id": "up"}', {"id": "up"}), (b"<html>\xff", "<html>�"), (b'{"x": NaN}', '{"x": NaN}'),
    (b'{"x": 1e999}', '{"x": 1e999}'), (rb'{"x": "\ud83d"}', r'{"x": "\ud83d"}'), (b"[" * 100_000, "[" * 100_000),
])  # fmt: skip
def test_raw_shows_what_the_upstream_sent(raw: bytes, shown: Any, alice: Caller, bench: Bench) -> None:
    job = alice.job()
    assert alice.get(f"/v1/jobs/{job['id']}?raw=true").json["response"]["status"] == "queued"
    complete(bench, start(bench), raw=raw)
    assert alice.get(f"/v1/jobs/{job['id']}?raw=true").json["response"] == shown
    assert alice.get(f"/v1/jobs/{job['id']}?raw=false").json["response"]["object"] == "response"
    assert alice.get(f"/v1/jobs/{job['id']}?raw=maybe").status_code == 400


def test_a_waiting_job_says_that_no_worker_lives(alice: Caller) -> None:
    job = alice.job()
    assert alice.get(f"/v1/jobs/{job['id']}").json["waiting_reason"] == "no_worker"


@pytest.mark.parametrize("path", ["/v1/jobs/nonsense", f"/v1/jobs/job_{'0' * 32}", f"/v1/jobs/resp_{'0' * 32}"])
@pytest.mark.parametrize(("method", "more"), [("GET", ""), ("DELETE", ""), ("POST", "/cancel"), ("POST", "/retry")])
def test_a_job_that_does_not_exist_is_not_found(path: str, method: str, more: str, alice: Caller) -> None:
    answer = alice.ask(method, path + more)
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "job_not_found"


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/v1/jobs/{}", {}),
        ("GET", "/v1/jobs/{}?raw=true", {}),
        ("GET", "/v1/jobs/{}", {"Prefer": "wait=5"}),
        ("POST", "/v1/jobs/{}/cancel", {}),
        ("POST", "/v1/jobs/{}/retry", {}),
        ("DELETE", "/v1/jobs/{}", {}),
        ("GET", "/v1/jobs?after={}", {}),
    ],
)
@pytest.mark.parametrize("is_ended", [False, True])
def test_another_projects_job_answers_like_one_that_does_not_exist(
    method: str, path: str, headers: dict[str, str], is_ended: bool, alice: Caller, bob: Caller, bench: Bench
) -> None:
    theirs, missing = alice.job(), "job_" + "0" * 32
    if is_ended:
        complete(bench, start(bench))
    named = {"X-Request-Id": "one"} | headers
    answers = [bob.ask(method, path.format(job_id), headers=named) for job_id in (theirs["id"], missing)]
    shown = [
        answer.data.replace(job_id.encode(), b"ID")
        for answer, job_id in zip(answers, (theirs["id"], missing), strict=True)
    ]
    assert answers[0].status_code in (400, 404)
    assert shown[0] == shown[1]
    assert list(answers[0].headers) == list(answers[1].headers) or path.endswith("cancel")
    assert alice.get(f"/v1/jobs/{theirs['id']}").status_code == 200


def test_an_admin_sees_and_cancels_the_jobs_of_all(alice: Caller, bob: Caller, admin: Caller) -> None:
    jobs = [alice.job(), bob.job()]
    assert [job["id"] for job in admin.get("/v1/jobs").json["data"]] == [job["id"] for job in reversed(jobs)]
    assert admin.get(f"/v1/jobs/{jobs[0]['id']}").json["project"] == "alice"
    assert admin.post(f"/v1/jobs/{jobs[1]['id']}/cancel").json["status"] == "cancelled"
    assert [job["id"] for job in alice.get("/v1/jobs").json["data"]] == [jobs[0]["id"]]


def test_a_list_is_newest_first_and_goes_on_page_by_page(alice: Caller) -> None:
    ids = [alice.job()["id"] for _ in range(5)][::-1]
    pages, after = [], ""
    for has_more in (True, True, False):
        page = alice.get(f"/v1/jobs?limit=2{after}").json
        found = [job["id"] for job in page["data"]]
        assert (page["object"], page["has_more"]) == ("list", has_more)
        assert (page["first_id"], page["last_id"]) == (found[0], found[-1])
        pages += found
        after = f"&after={page['last_id']}"
    assert pages == ids


def test_an_empty_list_has_neither_first_nor_last(alice: Caller) -> None:
    assert alice.get("/v1/jobs").json == {
        "object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False, "left_out": []
    }  # fmt: skip


def test_a_list_can_be_of_one_status(alice: Caller, bench: Bench) -> None:
    first, second = alice.job(), alice.job()
    complete(bench, next(c for c in _start_all(bench) if c.number == number_of(first)))
    for status, ids in [("completed", [first["id"]]), ("in_progress", [second["id"]]), ("failed", [])]:
        assert [job["id"] for job in alice.get(f"/v1/jobs?status={status}").json["data"]] == ids


def _start_all(bench: Bench) -> list[Claim]:
    bench.beat("w1")
    bench.dispatch("w1")
    return bench.claim("w1")


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("limit=0", "limit"), ("limit=101", "limit"), ("limit=x", "limit"), ("limit=1.5", "limit"),
        ("limit=" + "9" * 5000, "limit"), ("status=done", "status"), ("after=nonsense", "after"),
        (f"after=job_{'0' * 32}", "after"), ("page=2", "page"),
    ],
)  # fmt: skip
def test_a_wrong_query_is_refused_by_name(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/jobs?{query}")
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_a_poll_that_waits_returns_when_the_job_ends(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    claim = start(bench)
    answers: list[Any] = []
    before = listeners(bench)
    waiting = threading.Thread(
        target=lambda: answers.append(alice.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=30"}))
    )
    waiting.start()
    wait_until(lambda: bool(listeners(bench) - before))
    complete(bench, claim)
    waiting.join(20)
    (answer,) = answers
    assert answer.json["status"] == "completed"
    assert answer.headers["Preference-Applied"] == "wait=30"


def test_a_poll_that_waits_is_not_woken_by_another_jobs_end_or_a_subscription_that_was_lost(
    alice: Caller, bench: Bench
) -> None:
    job, other = alice.job(), alice.job()
    claims = {claim.number: claim for claim in _start_all(bench)}
    answers: list[Any] = []
    before = listeners(bench)
    waiting = threading.Thread(
        target=lambda: answers.append(alice.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=30"}))
    )
    waiting.start()
    wait_until(lambda: bool(listeners(bench) - before))
    complete(bench, claims[number_of(other)])
    assert bench.client.client_kill_filter(_type="pubsub") >= 1
    wait_until(lambda: bool(listeners(bench)))
    complete(bench, claims[number_of(job)])
    waiting.join(20)
    assert [answer.json["status"] for answer in answers] == ["completed"]


def test_a_poll_that_waits_shows_the_job_as_it_is_when_the_time_is_up(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    answers: list[Any] = []
    before = listeners(bench)
    waiting = threading.Thread(
        target=lambda: answers.append(alice.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=1"}))
    )
    waiting.start()
    wait_until(lambda: bool(listeners(bench) - before))
    start(bench)
    waiting.join(20)
    assert [answer.json["status"] for answer in answers] == ["in_progress"]


def test_a_poll_of_an_ended_job_does_not_wait(alice: Caller) -> None:
    job = alice.job()
    alice.post(f"/v1/jobs/{job['id']}/cancel")
    answer = alice.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "respond-async, wait=60"})
    assert answer.json["status"] == "cancelled"


@pytest.mark.parametrize("value", ["wait", "wait=", "wait=soon", "wait=-1", "wait=1e3", "wait=nan"])
def test_a_malformed_wait_is_passed_over(value: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/jobs/{alice.job()['id']}", headers={"Prefer": value})
    assert (answer.status_code, answer.json["status"]) == (200, "queued")
    assert "Preference-Applied" not in answer.headers


def test_a_cancelled_job_stays_cancelled(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    for _ in range(2):
        answer = alice.post(f"/v1/jobs/{job['id']}/cancel")
        assert (answer.status_code, answer.json["status"]) == (200, "cancelled")
    bench.beat("w1")
    assert bench.dispatch("w1").released == 0


@pytest.mark.parametrize("data", [b"", b"{}", b"not json"])
def test_a_cancel_takes_any_body(data: bytes, alice: Caller) -> None:
    job = alice.job()
    answer = alice.post(f"/v1/jobs/{job['id']}/cancel", data=data, headers={"Content-Type": "application/json"})
    assert answer.json["status"] == "cancelled"


def test_cancelling_what_ended_leaves_it_as_it_is(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    complete(bench, start(bench))
    assert alice.post(f"/v1/jobs/{job['id']}/cancel").json["status"] == "completed"


def test_only_a_job_that_ended_can_be_deleted(alice: Caller) -> None:
    job = alice.job()
    refused = alice.delete(f"/v1/jobs/{job['id']}")
    assert (refused.status_code, error_of(refused)["code"]) == (400, "job_not_ended")
    alice.post(f"/v1/jobs/{job['id']}/cancel")
    assert alice.delete(f"/v1/jobs/{job['id']}").json == {"id": job["id"], "object": "job", "deleted": True}
    assert alice.get(f"/v1/jobs/{job['id']}").status_code == 404
    assert alice.delete(f"/v1/jobs/{job['id']}").status_code == 404
    assert alice.get("/v1/jobs").json["data"] == []


def test_a_failed_job_tells_why_and_whether_to_ask_again(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    error = {"code": "InvalidParameter", "message": "no such picture", "retryable": False}
    bench.runs("w1").finish(start(bench), End(status="failed", error=error), FAILED)
    shown = alice.get(f"/v1/jobs/{job['id']}").json
    assert (shown["status"], shown["error"]) == ("failed", error)
    assert shown["response"]["error"]["message"] == "no such picture"


def test_one_key_and_one_body_are_one_job(alice: Caller, bench: Bench) -> None:
    first = alice.submit(headers={"Idempotency-Key": "k"})
    again = alice.post("/v1/jobs", data=json.dumps(job_body(), indent=3), headers={
        "Idempotency-Key": "k", "Content-Type": "application/json",
    })  # fmt: skip
    assert (again.status_code, again.json) == (202, first.json)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    complete(bench, start(bench))
    assert alice.submit(headers={"Idempotency-Key": "k"}).json["status"] == "completed"


def test_one_key_with_another_body_is_refused_and_names_the_first_job(alice: Caller) -> None:
    first = alice.job(headers={"Idempotency-Key": "k"})
    other = alice.submit(max_attempts=7, headers={"Idempotency-Key": "k"})
    assert other.status_code == 422
    assert first["id"] in error_of(other)["message"]
    assert error_of(other)["param"] == "Idempotency-Key"


def test_a_key_belongs_to_a_project(alice: Caller, bob: Caller) -> None:
    headers = {"Idempotency-Key": "k"}
    assert alice.job(headers=headers)["id"] != bob.job(headers=headers)["id"]
    assert bob.submit(request={"input": "other"}, headers=headers).status_code == 422


def test_two_submits_without_a_key_are_two_jobs(alice: Caller) -> None:
    assert alice.job()["id"] != alice.job()["id"]


@pytest.mark.parametrize("key", ["", "k" * 256, "a\tb"])
def test_a_key_that_is_none_is_refused(key: str, alice: Caller) -> None:
    answer = alice.submit(headers={"Idempotency-Key": key})
    assert (answer.status_code, error_of(answer)["param"]) == (400, "Idempotency-Key")


def test_the_longest_key_is_taken(alice: Caller) -> None:
    assert alice.submit(headers={"Idempotency-Key": "k" * 255}).status_code == 202


def test_what_an_sdk_marks_as_its_own_repeat_is_the_same_job(alice: Caller) -> None:
    first = alice.submit(headers={"x-stainless-retry-count": "0"})
    again = alice.submit(headers={"X-Stainless-Retry-Count": "1"})
    assert again.json["id"] == first.json["id"]
    assert again.headers["Idempotent-Replayed"] == "true"
    assert alice.job(headers={"x-stainless-retry-count": "0"})["id"] != first.json["id"]
    assert alice.job(request={"input": "other"}, headers={"x-stainless-retry-count": "1"})["id"] != first.json["id"]


def test_a_repeat_of_another_project_is_not_ours(alice: Caller, bob: Caller) -> None:
    first = alice.job(headers={"x-stainless-retry-count": "0"})
    assert bob.job(headers={"x-stainless-retry-count": "1"})["id"] != first["id"]


@pytest.mark.parametrize("count", ["-1", "x", "", "²", "9" * 100, "1.5"])
def test_a_repeat_count_that_is_none_does_no_harm(count: str, alice: Caller) -> None:
    headers = {"x-stainless-retry-count": count.encode().decode("latin-1")}
    assert alice.submit(headers=headers).status_code == 202


def test_too_many_queued_bytes_are_refused_until_a_job_ends(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(max_queued_bytes=2000).test_client(), alice.key)
    job = caller.job(request={"input": "x" * 1200})
    full = caller.submit(request={"input": "x" * 1200})
    assert full.status_code == 429
    assert (error_of(full)["code"], error_of(full)["type"]) == ("queue_full", "rate_limit_error")
    assert int(full.headers["Retry-After"]) > 0
    caller.post(f"/v1/jobs/{job['id']}/cancel")
    assert caller.submit(request={"input": "x" * 1200}).status_code == 202


def test_all_mistakes_of_a_body_are_told_at_once(alice: Caller) -> None:
    content = [{"type": "input_text", "text": "x"}, {"type": "input_video", "video_url": "http://x/v", "fps": "1"}]
    request = {"input": [{"role": "user", "content": content}], "temperature": 3, "top_q": 1}
    answer = alice.submit(request=request, max_attempts=0, colour="red")
    assert answer.status_code == 400
    assert {mistake["param"] for mistake in answer.json["errors"]} == {
        "request.input[0].content[1].fps", "request.temperature", "request.top_q", "max_attempts", "colour",
    }  # fmt: skip
    assert "top_p" in next(m["message"] for m in answer.json["errors"] if m["param"] == "request.top_q")


def test_unknown_fields_are_passed_on_where_the_operator_wants_it(
    make_app: AppMaker, alice: Caller, bench: Bench
) -> None:
    Caller(make_app(unknown_fields="forward").test_client(), alice.key).job(request={"brand_new": 1})
    assert json.loads(bench.runs().body(start(bench)))["brand_new"] == 1


@pytest.mark.parametrize(
    ("models", "name", "status"),
    [((), "glm-4.7", 202), ((), "other", 400), (("other",), "other", 202), (("other",), MODEL, 400),
     (("*",), "anything", 202), (("*",), "", 400)],
)  # fmt: skip
def test_the_operator_says_which_models_there_are(
    models: tuple[str, ...], name: str, status: int, make_app: AppMaker, alice: Caller
) -> None:
    caller = Caller(make_app(models=models).test_client(), alice.key)
    assert caller.submit(request={"model": name}).status_code == status


def test_settings_fill_what_the_body_leaves_out(make_app: AppMaker, alice: Caller) -> None:
    app = make_app(max_attempts=9, on_unknown="fail", run_timeout_seconds=77.0)
    job = Caller(app.test_client(), alice.key).job()
    assert (job["max_attempts"], job["on_unknown"], job["run_timeout_seconds"]) == (9, "fail", 77.0)


def test_ended_jobs_keep_their_attempts(alice: Caller, bench: Bench) -> None:
    job = alice.job()
    bench.runs("w1").retry(start(bench), FAILED, delay_seconds=0)
    claim = start(bench)
    bench.runs("w1").finish(claim, End(status="incomplete", response=b'{"status":"incomplete"}'), ANSWERED)
    shown = alice.get(f"/v1/jobs/{job['id']}").json
    assert [attempt["number"] for attempt in shown["attempts"]] == [1, 2]
    assert (shown["status"], shown["attempts_spent"]) == ("incomplete", 2)
