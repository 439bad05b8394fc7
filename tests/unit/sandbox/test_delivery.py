import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with running_sandbox() as url:
        yield url


@pytest.fixture(autouse=True)
def _nothing_seen(base: str) -> None:
    wait_until(lambda: requests.get(f"{base}/sandbox/requests", timeout=30).json()["in_flight"] == 0)
    requests.delete(f"{base}/sandbox/requests", timeout=30)


def post(base: str, fault: str, *, stream: bool = False, timeout: float = 30) -> requests.Response:
    body = {"model": "m", "input": "hello", "stream": stream}
    headers = {"Authorization": "Bearer any", "x-sandbox-fault": fault}
    return requests.post(f"{base}/v1/responses", json=body, headers=headers, timeout=timeout, stream=True)


def read_into(came: bytearray, answer: requests.Response) -> None:
    for chunk in answer.iter_content(1):
        came += chunk


def only_call(base: str) -> Any:
    """The record of the one call, once it is over."""
    wait_until(lambda: requests.get(f"{base}/sandbox/requests", timeout=30).json()["in_flight"] == 0)
    (call,) = requests.get(f"{base}/sandbox/requests", timeout=30).json()["data"]
    return call


def test_a_connection_cut_before_the_answer_gives_no_answer(base: str) -> None:
    with pytest.raises(requests.ConnectionError):
        post(base, "cut=before")
    call = only_call(base)
    assert (call["status"], call["client_left"]) == (None, False)


@pytest.mark.parametrize("fault", ["cut=headers", "cut=middle"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_cut_later_gives_a_status_and_no_whole_body(base: str, fault: str, stream: bool) -> None:
    answer = post(base, fault, stream=stream)
    assert answer.status_code == 200
    came = bytearray()
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        read_into(came, answer)
    assert bool(came) is (fault == "cut=middle")


@pytest.mark.parametrize("stream", [False, True])
def test_a_stalled_answer_begins_and_then_says_nothing_until_the_caller_leaves(base: str, stream: bool) -> None:
    answer = post(base, "stall", stream=stream, timeout=0.3)
    came = bytearray()
    with pytest.raises(requests.ConnectionError, match="timed out"):
        read_into(came, answer)
    assert came.startswith(b"event: response.created" if stream else b'{"id"')
    answer.close()
    assert only_call(base)["client_left"]


@pytest.mark.parametrize("fault", ["hang", "delay=3000", "hang;times=1"])
def test_a_caller_that_leaves_while_waiting_is_noticed(base: str, fault: str) -> None:
    with pytest.raises(requests.ReadTimeout):
        post(base, fault, timeout=0.2)
    call = only_call(base)
    assert (call["client_left"], call["status"]) == (True, None)


def test_a_delayed_answer_comes_whole_and_no_sooner(base: str) -> None:
    assert post(base, "delay=0.2").json()["status"] == "completed"
    call = only_call(base)
    assert call["ended_at"] - call["started_at"] >= 0.2
    assert not call["client_left"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_dripping_body_comes_whole_and_spread_out(base: str, stream: bool) -> None:
    started = time.monotonic()
    answer = post(base, "drip=0.4", stream=stream)
    body = answer.content
    assert time.monotonic() - started >= 0.4 * 0.99
    assert body.endswith(b"data: [DONE]\n\n" if stream else b"}")


def test_a_dripping_head_comes_before_a_whole_body(base: str) -> None:
    answer = post(base, "drip_headers=0.2")
    assert answer.json()["object"] == "response"
    assert only_call(base)["ended_at"] - only_call(base)["started_at"] >= 0.2 * 0.99


def test_a_caller_that_leaves_a_dripping_answer_is_noticed(base: str) -> None:
    post(base, "drip=3000").close()
    assert only_call(base)["client_left"]


def test_the_events_of_a_paced_stream_come_one_by_one(base: str) -> None:
    body = post(base, "pace=0.002", stream=True).content
    call = only_call(base)
    assert call["ended_at"] - call["started_at"] >= 0.002 * (body.count(b"\n\n") - 1)


def test_faults_of_delivery_hold_for_error_answers_too(base: str) -> None:
    answer = post(base, "status=500;cut=middle")
    assert answer.status_code == 500
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        assert answer.content


def test_a_huge_answer_is_sent_without_being_held_in_memory(base: str) -> None:
    length = sum(map(len, post(base, "huge=50000000").iter_content(1 << 20)))
    assert length > 50_000_000
