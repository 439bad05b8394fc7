import json
import socket
import threading
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.raw_server import Handler, http_answer, raw_server
from tests.fakes.redis_server import free_port
from tests.fakes.waiting import wait_until
from worker.calls import CANCELLED, Call
from worker.errors import HungUp, TooLarge, UpstreamLost
from worker.polling import poll
from worker.responses_client import Answer, ResponsesClient

Open = Callable[..., ResponsesClient]
SOON = "openai-poll-after-ms: 1"
RUNNING = http_answer(b'{"id": "resp_1", "status": "in_progress"}', SOON)
DONE = http_answer(b'{"id": "resp_1", "status": "completed", "output": []}')


def refusal(status: str, *headers: str) -> bytes:
    return http_answer(b'{"error": {"code": "c", "message": "m"}}', SOON, *headers, status=status)


def one_by_one(*answers: bytes) -> Handler:
    """Each caller gets the next answer, and all further ones the last."""
    left = list(answers)

    def answer(connection: socket.socket) -> None:
        connection.sendall(left.pop(0) if len(left) > 1 else left[0])

    return answer


def polled(client: ResponsesClient, *, call: Call | None = None, response_id: str = "resp_1") -> Answer:
    return poll(client, response_id, call=call or Call(seconds=60), begun=False, random=lambda: 0.0)


def status(answer: Answer) -> Any:
    return json.loads(answer.body)["status"]


def test_a_response_is_asked_after_by_its_id_until_it_ends(open_client: Open) -> None:
    with raw_server(one_by_one(RUNNING, RUNNING, DONE)) as server:
        assert status(polled(open_client(f"{server.url}/v1"), response_id="resp/1 é")) == "completed"
    lines = [request.split(b"\r\n")[0] for request in server.requests]
    assert lines == [b"GET /v1/responses/resp%2F1%20%C3%A9 HTTP/1.1"] * 3
    assert b"authorization: bearer the-key" in server.requests[0].lower()


@pytest.mark.parametrize(
    "trouble",
    [
        refusal("429 Too Many Requests"), refusal("500 Broken"), refusal("503 Away"), refusal("408 Slow"),
        refusal("404 Not yet"), http_answer(b"<html>", SOON), http_answer(b'{"error": {"code": "c"}}', SOON),
        http_answer(b"", "Location: /elsewhere", SOON, status="302 Found"),
    ],
)  # fmt: skip
def test_a_poll_that_goes_wrong_is_made_again(trouble: bytes, open_client: Open) -> None:
    with raw_server(one_by_one(trouble, DONE)) as server:
        assert status(polled(open_client(server.url))) == "completed"
    assert len(server.requests) == 2


def test_a_connection_that_breaks_or_never_comes_about_is_made_again(open_client: Open) -> None:
    call, pauses = Call(seconds=60), []

    def wait(seconds: float) -> bool:
        pauses.append(seconds)
        return len(pauses) > 3

    call.wait = wait  # type: ignore[method-assign]  # the waiting itself would take seconds
    with pytest.raises(HungUp):
        polled(open_client(f"http://127.0.0.1:{free_port()}"), call=call)
    assert pauses == [0.0, 1.6, 3.2, 6.4]
    pauses.clear()
    with raw_server(one_by_one(b"HTTP/1.1 2", DONE)) as server:
        assert status(polled(open_client(server.url), call=call)) == "completed"


def test_a_response_that_is_not_known_twice_in_a_row_is_lost(open_client: Open) -> None:
    gone = refusal("404 Not Found")
    with raw_server(one_by_one(gone, RUNNING, gone, gone)) as server, pytest.raises(UpstreamLost) as caught:
        polled(open_client(server.url))
    assert caught.value.sent
    assert len(server.requests) == 4


@pytest.mark.parametrize("told", ["401 No", "402 Pay", "403 Never"])
def test_a_refusal_of_the_account_is_handed_on(told: str, open_client: Open) -> None:
    with raw_server(one_by_one(RUNNING, refusal(told))) as server:
        assert polled(open_client(server.url)).http_status == int(told[:3])


def test_an_answer_that_is_too_large_is_not_asked_for_again(open_client: Open) -> None:
    large = http_answer(b'{"status": "completed", "output": [], "x": "%s"}' % (b"x" * 10_000))
    with raw_server(large) as server, pytest.raises(TooLarge):
        polled(open_client(server.url, most=1000))
    assert len(server.requests) == 1


def test_hanging_up_ends_the_waiting_at_once_and_the_response_counts_as_sent(open_client: Open) -> None:
    call, caught = Call(seconds=60), []
    far = http_answer(b'{"id": "resp_1", "status": "queued"}', "Retry-After: 1000")

    def follow() -> None:
        try:
            polled(open_client(server.url), call=call)
        except HungUp as ended:
            caught.append((ended.why, ended.sent))

    with raw_server(far) as server:
        follower = threading.Thread(target=follow)
        follower.start()
        wait_until(lambda: bool(server.requests))
        call.hang_up(CANCELLED)
        follower.join(10)
    assert caught == [(CANCELLED, True)]


def test_hanging_up_ends_a_poll_that_is_under_way(open_client: Open) -> None:
    call = Call(seconds=60)

    def hang_up(_: socket.socket) -> None:
        call.hang_up(CANCELLED)
        server.over.wait()

    with raw_server(hang_up) as server, pytest.raises(HungUp) as caught:
        polled(open_client(server.url), call=call)
    assert (caught.value.why, caught.value.sent) == (CANCELLED, True)
