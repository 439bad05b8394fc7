from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from schemas.request import DEFAULT_MODELS
from tests.fakes.media_files import make_clip, served
from tests.fakes.sandbox_server import begin_call, running_sandbox
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer any"}


@pytest.fixture
def base() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


def post(base: str, body: Any = None, *, path: str = "/v1/responses", **headers: str) -> requests.Response:
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = {"model": "m", "input": "hello"} if body is None else body
    return requests.post(f"{base}{path}", json=asked, headers={**KEY, **headers}, timeout=30)


def seen(base: str, query: str = "") -> Any:
    return requests.get(f"{base}/sandbox/requests{query}", timeout=30).json()


@pytest.mark.parametrize("path", ["/v1/responses", "/api/v3/responses"])
def test_both_bases_answer_with_a_response_and_a_request_id(base: str, path: str) -> None:
    answer = post(base, path=path)
    assert (answer.status_code, answer.json()["object"]) == (200, "response")
    assert answer.headers["x-request-id"].startswith("req_")


def test_a_clip_sent_by_url_is_looked_into(base: str, tmp_path: Path) -> None:
    make_clip(tmp_path / "clip.mp4")
    with served(tmp_path) as media:
        part = {"type": "input_video", "video_url": f"{media}/clip.mp4", "fps": 2}
        answer = post(base, {"model": "m", "input": [{"role": "user", "content": [part]}]}).json()
    facts = answer["sandbox"]["media"][0]["facts"]
    assert (facts["duration_seconds"], facts["frame_count"], facts["frames_sampled"]) == (6.0, 60, 12)
    assert "64x48 pixels" in answer["output"][0]["content"][0]["text"]
    assert answer["usage"]["input_tokens"] == 12 * 64 + 3


def test_a_medium_out_of_reach_is_told_in_the_answer_or_refused_when_strict(base: str) -> None:
    part = {"type": "input_image", "image_url": "http://127.0.0.1:1/a.png"}
    body = {"model": "m", "input": [{"role": "user", "content": [part]}]}
    answer = post(base, body)
    assert "could not be seen: its server refuses the connection" in answer.json()["output"][0]["content"][0]["text"]
    strict = post(base, body, x_sandbox_fault="media=strict")
    assert (strict.status_code, strict.json()["error"]["code"]) == (400, "InvalidParameter")
    assert strict.json()["error"]["message"].startswith("Error while downloading")


def test_a_stream_ends_with_the_mark(base: str) -> None:
    answer = post(base, {"model": "m", "input": "hello", "stream": True})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.text.startswith("event: response.created\n")
    assert answer.text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Basic any", "any"])
def test_without_a_bearer_key_nobody_is_let_in(base: str, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answers = [
        requests.post(f"{base}/v1/responses", json={"model": "m", "input": "x"}, headers=headers, timeout=30),
        requests.get(f"{base}/v1/models", headers=headers, timeout=30),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "AuthenticationError")


def test_a_key_that_is_set_is_the_only_one_let_in() -> None:
    with running_sandbox(api_key="right") as base:
        assert post(base).status_code == 401
        assert post(base, Authorization="Bearer right").status_code == 200
        assert post(base, Authorization="Bearer r\xefght").status_code == 401


def test_the_models_of_the_endpoint_are_listed(base: str) -> None:
    listed = requests.get(f"{base}/api/v3/models", headers=KEY, timeout=30).json()
    assert [model["id"] for model in listed["data"]] == list(DEFAULT_MODELS)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/nowhere", 404), ("GET", "/v1/responses", 405), ("DELETE", "/v1/models", 405), ("GET", "/healthz", 200)],
)
def test_every_path_answers_in_json_with_a_request_id(base: str, method: str, path: str, status: int) -> None:
    answer = requests.request(method, f"{base}{path}", timeout=30)
    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert (set(answer.json()) == {"error"}) is (status >= 400)


def test_a_body_that_is_wrong_or_too_large_is_refused() -> None:
    with running_sandbox(max_body_bytes=1_000) as base:
        assert post(base, []).status_code == 400
        assert post(base, {"model": "m"}).json()["error"]["param"] == "input"
        large = post(base, {"model": "m", "input": "x" * 2_000})
        assert (large.status_code, large.json()["error"]["code"]) == (413, "RequestTooLarge")
        assert [call["status"] for call in seen(base)["data"]] == [400, 400, 413]


def test_every_call_is_recorded_with_its_times_key_and_status(base: str) -> None:
    post(base, Idempotency_Key="a")
    post(base, Idempotency_Key="a", x_sandbox_fault="status=500")
    post(base, Idempotency_Key="b")
    wait_until(lambda: seen(base)["in_flight"] == 0)
    records = seen(base)
    assert [call["status"] for call in records["data"]] == [200, 500, 200]
    assert [call["fault"] for call in records["data"]] == ["", "status=500", ""]
    first = records["data"][0]
    assert (first["model"], first["body_keys"], first["idempotency_key"]) == ("m", ["model", "input"], "a")
    assert first["started_at"] <= first["ended_at"]
    assert requests.get(f"{base}/sandbox/keys", timeout=30).json() == {"a": 2, "b": 1}
    assert requests.get(f"{base}/sandbox/keys?at_least=2", timeout=30).json() == {"a": 2}
    assert len(seen(base, "?limit=1")["data"]) == 1
    assert requests.delete(f"{base}/sandbox/requests", timeout=30).status_code == 204
    assert (seen(base)["total"], seen(base)["data"]) == (0, [])


def test_calls_that_run_together_are_counted(base: str) -> None:
    callers = [begin_call(base, fault="hang") for _ in range(8)]
    wait_until(lambda: seen(base)["in_flight"] == 8)
    for caller in callers:
        caller.close()
    wait_until(lambda: seen(base)["in_flight"] == 0)
    assert seen(base)["in_flight_max"] == 8
    assert sorted(call["in_flight"] for call in seen(base)["data"]) == list(range(1, 9))


def test_more_calls_a_minute_than_set_are_refused_with_a_time_to_wait() -> None:
    with running_sandbox(requests_per_minute=2) as base:
        answers = [post(base) for _ in range(3)]
        records = seen(base)
    assert [call["status"] for call in records["data"]] == [200, 200, 429]
    assert [call["is_admitted"] for call in records["data"]] == [True, True, False]
    assert records["refusals"] == {"RateLimitExceeded.EndpointRPMExceeded": 1}
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-ratelimit-remaining-requests"] == "1"
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].headers["x-ratelimit-remaining-requests"] == "0"


def test_the_records_tell_keys_and_tokens_apart(base: str) -> None:
    answers = [post(base, Authorization=f"Bearer secret-{name}") for name in ("east", "west")]
    first, second = seen(base)["data"]
    assert (first["api_key_end"], second["api_key_end"]) == ("east", "west")
    assert first["total_tokens"] == answers[0].json()["usage"]["total_tokens"]
    assert first["response_id"] == answers[0].json()["id"]
    assert "secret" not in requests.get(f"{base}/sandbox/requests", timeout=30).text


def test_a_fault_in_metadata_holds_for_the_first_calls_of_each_key(base: str) -> None:
    body = {"model": "m", "input": "x", "metadata": {"sandbox": "status=503;times=2"}}
    statuses = [post(base, body, Idempotency_Key=key).status_code for key in ("a", "b", "a", "a", "b", "b")]
    assert statuses == [503, 503, 503, 200, 503, 200]


def test_a_fault_for_every_other_call_counts_over_all_keys(base: str) -> None:
    statuses = [post(base, x_sandbox_fault="status=503;every=2", Idempotency_Key=key).status_code for key in "abcd"]
    assert statuses == [200, 503, 200, 503]
    assert [call["is_fault_applied"] for call in seen(base)["data"]] == [False, True, False, True]


def test_an_unknown_fault_is_a_400_that_names_those_known(base: str) -> None:
    answer = post(base, x_sandbox_fault="explode")
    assert answer.status_code == 400
    assert "retry_after" in answer.json()["error"]["message"]


def test_a_fault_goes_before_the_bounds_of_the_body(base: str) -> None:
    assert post(base, {"metadata": {"sandbox": "status=502"}}).status_code == 502
