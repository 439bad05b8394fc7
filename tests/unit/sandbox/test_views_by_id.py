from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer any"}


@pytest.fixture
def base() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


def post(base: str, fault: str = "", **fields: Any) -> requests.Response:
    body = {"model": "m", "input": "hello", **fields}
    return requests.post(f"{base}/v1/responses", json=body, headers={**KEY, "x-sandbox-fault": fault}, timeout=30)


def begin(base: str, fault: str = "", **fields: Any) -> str:
    """The address of a new background response."""
    answer = post(base, fault, background=True, **fields)
    assert (answer.status_code, answer.json()["status"]) == (200, "queued")
    return f"{base}/v1/responses/{answer.json()['id']}"


def get(url: str) -> requests.Response:
    return requests.get(url, headers=KEY, timeout=30)


def cancel(url: str) -> requests.Response:
    return requests.post(f"{url}/cancel", headers=KEY, timeout=30)


def seen(base: str) -> Any:
    return requests.get(f"{base}/sandbox/requests", timeout=30).json()


def ended(url: str) -> Any:
    """The Response once it is neither queued nor in progress."""
    wait_until(lambda: get(url).json()["status"] not in ("queued", "in_progress"))
    return get(url).json()


def test_a_background_response_is_queued_at_once_and_completed_later(base: str) -> None:
    begun = post(base, background=True).json()
    assert (begun["status"], begun["background"], begun["output"], begun["usage"]) == ("queued", True, [], None)
    assert begun["id"].startswith("resp_")
    response = ended(f"{base}/api/v3/responses/{begun['id']}")
    assert (response["status"], response["id"], response["background"]) == ("completed", begun["id"], True)
    assert response["output"][0]["content"][0]["text"].startswith("Sandbox: no language model")
    assert response["usage"]["total_tokens"] > 0
    assert response["created_at"] == begun["created_at"]


def test_it_is_queued_then_in_progress_as_long_as_asked(base: str) -> None:
    queued, running = begin(base, "queued=3000"), begin(base, "delay=3000")
    wait_until(lambda: get(running).json()["status"] == "in_progress")
    assert get(queued).json()["status"] == "queued"
    assert [cancel(url).json()["status"] for url in (queued, running)] == ["cancelled", "cancelled"]


def test_a_response_may_end_incomplete_or_failed(base: str) -> None:
    cut = ended(begin(base, max_output_tokens=2))
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    bad = ended(begin(base, "shape=status_failed;code=ServerOverloaded"))
    assert (bad["status"], bad["error"]["code"], bad["usage"]) == ("failed", "ServerOverloaded", None)
    part = {"type": "input_image", "image_url": "http://127.0.0.1:1/a.png"}
    unseen = ended(begin(base, "media=strict", input=[{"role": "user", "content": [part]}]))
    assert (unseen["status"], unseen["error"]["code"]) == ("failed", "InvalidParameter")


def test_one_that_hangs_is_in_progress_until_it_is_cancelled(base: str) -> None:
    url = begin(base, "hang")
    wait_until(lambda: get(url).json()["status"] == "in_progress")
    assert seen(base)["in_flight"] == 1
    answer = cancel(url)
    assert (answer.status_code, answer.json()["status"], answer.json()["output"]) == (200, "cancelled", [])
    assert get(url).json() == answer.json()
    wait_until(lambda: seen(base)["in_flight"] == 0)
    (call,) = seen(base)["data"]
    assert (call["response_status"], call["total_tokens"], call["cancels"]) == ("cancelled", None, 1)


def test_one_that_has_ended_is_not_cancelled_any_more(base: str) -> None:
    url = begin(base)
    response = ended(url)
    assert cancel(url).json() == response
    assert get(url).json() == response


def test_a_call_lasts_until_its_work_is_over(base: str) -> None:
    url = begin(base, "delay=0.2")
    assert seen(base)["data"][0]["ended_at"] is None
    ended(url)
    wait_until(lambda: seen(base)["in_flight"] == 0)
    (call,) = seen(base)["data"]
    assert call["ended_at"] - call["started_at"] >= 0.2
    assert (call["background"], call["status"], call["response_status"]) == (True, 200, "completed")
    assert call["total_tokens"] == get(url).json()["usage"]["total_tokens"]


def test_polls_are_counted_for_each_call_and_in_all(base: str) -> None:
    url = begin(base, "hang")
    for _ in range(3):
        get(url)
    get(f"{base}/v1/responses/resp_unknown")
    cancel(url)
    assert (seen(base)["polls"], seen(base)["cancels"], seen(base)["total"]) == (4, 1, 1)
    assert seen(base)["data"][0]["polls"] == 3


def test_a_lost_response_is_not_known_although_its_work_goes_on(base: str) -> None:
    url = begin(base, "lost;delay=0.1")
    assert [get(url).status_code, cancel(url).status_code] == [404, 404]
    wait_until(lambda: seen(base)["in_flight"] == 0)
    assert seen(base)["data"][0]["response_status"] == "completed"


def test_polls_can_fail_for_ever_or_for_a_while(base: str) -> None:
    broken = begin(base, "poll_status=503")
    assert [get(broken).status_code for _ in range(3)] == [503] * 3
    assert get(broken).json()["error"]["code"] == "ServiceUnavailable"
    flaky = begin(base, "poll_status=429;poll_times=2")
    assert [get(flaky).status_code for _ in range(4)] == [429, 429, 200, 200]


def test_faults_of_the_call_itself_hold_at_once(base: str) -> None:
    assert post(base, "status=503", background=True).status_code == 503
    assert post(base, background=True, temperature=9).status_code == 400
    with pytest.raises(requests.ConnectionError):
        post(base, "cut=before", background=True)
    wait_until(lambda: seen(base)["in_flight"] == 0)
    assert [call["status"] for call in seen(base)["data"]] == [503, 400, None]
    assert seen(base)["data"][2]["response_status"] == "completed"


def test_the_same_idempotency_key_begins_another_response(base: str) -> None:
    headers = {**KEY, "Idempotency-Key": "k"}
    body = {"model": "m", "input": "hello", "background": True}
    answers = [requests.post(f"{base}/v1/responses", json=body, headers=headers, timeout=30) for _ in range(2)]
    assert len({answer.json()["id"] for answer in answers}) == 2
    assert requests.get(f"{base}/sandbox/keys", timeout=30).json() == {"k": 2}


def test_a_response_at_once_is_kept_too_unless_it_is_not_to_be_stored(base: str) -> None:
    response = post(base).json()
    url = f"{base}/v1/responses/{response['id']}"
    assert get(url).json() == response
    assert (cancel(url).status_code, cancel(url).json()["error"]["type"]) == (400, "invalid_request_error")
    unstored = post(base, store=False).json()
    assert get(f"{base}/v1/responses/{unstored['id']}").status_code == 404


def test_a_stream_in_the_background_is_streamed_and_kept(base: str) -> None:
    answer = post(base, background=True, stream=True)
    assert answer.text.endswith("data: [DONE]\n\n")
    url = f"{base}/v1/responses/{seen(base)['data'][0]['response_id']}"
    assert get(url).json()["status"] == "completed"
    assert cancel(url).json()["status"] == "completed"


def test_only_the_latest_that_ended_are_kept() -> None:
    with running_sandbox(kept_responses=2) as base:
        running = begin(base, "hang")
        urls = [f"{base}/v1/responses/{post(base).json()['id']}" for _ in range(3)]
        assert [get(url).status_code for url in (running, *urls)] == [200, 404, 200, 200]


def test_a_deleted_response_is_gone_and_its_work_ends(base: str) -> None:
    for url in (begin(base, "hang"), f"{base}/v1/responses/{post(base).json()['id']}"):
        answer = requests.delete(url, headers=KEY, timeout=30)
        assert answer.json() == {"id": url.rpartition("/")[2], "object": "response", "deleted": True}
        assert [get(url).status_code, requests.delete(url, headers=KEY, timeout=30).status_code] == [404, 404]
    wait_until(lambda: seen(base)["in_flight"] == 0)


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("POST", "/cancel"), ("DELETE", "")])
def test_an_unknown_id_is_a_404_and_a_missing_key_a_401(base: str, method: str, tail: str) -> None:
    url = f"{base}/v1/responses/resp_1{tail}"
    answer = requests.request(method, url, headers=KEY, timeout=30)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "invalid_request_error")
    assert answer.json()["error"]["message"] == "Response with id 'resp_1' not found."
    assert requests.request(method, url, timeout=30).status_code == 401


def test_conversations_are_not_compacted(base: str) -> None:
    url = f"{base}/v1/responses/compact"
    assert requests.post(url, json={"model": "m", "input": "hello"}, headers=KEY, timeout=30).status_code == 404
    assert requests.post(url, json={}, timeout=30).status_code == 401
