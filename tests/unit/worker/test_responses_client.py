import gzip
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.raw_server import chunked_answer, http_answer, raw_server
from tests.fakes.redis_server import free_port
from tests.unit.worker.conftest import Post, request_body
from worker.calls import Call
from worker.errors import BrokenAnswer, CallError, Cut, Stalled, TooLarge, Unreachable
from worker.responses_client import Answer, ResponsesClient

FINAL = b'data: {"type": "response.completed", "response": {"status": "completed", "output": []}}\n\n'
EVENTS = "text/event-stream"


@pytest.fixture(scope="module")
def endpoint(sandbox: str) -> str:
    return f"{sandbox}/v1"


def last_event(answer: Answer) -> dict[str, Any]:
    assert answer.stream is not None
    assert answer.stream.response is not None
    return answer.stream.response


def test_a_response_comes_whole(endpoint: str, post: Post) -> None:
    answer = post(endpoint, request_body())
    assert answer.http_status == 200
    assert json.loads(answer.body)["status"] == "completed"
    assert answer.headers["X-Request-Id"].startswith("req_")


def test_the_request_carries_the_key_the_body_and_the_jobs_own_idempotency_key(post: Post) -> None:
    with raw_server(http_answer(b"{}")) as server:
        post(f"{server.url}/v1", b'{"input": "h\xc3\xa9"}')
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /v1/responses http/1.1"
    assert body == b'{"input": "h\xc3\xa9"}'
    for line in (
        "authorization: bearer the-key",
        "content-type: application/json",
        "idempotency-key: job_1",
        "accept-encoding: identity",
        f"content-length: {len(body)}",
    ):
        assert line in lines


def test_without_a_key_there_is_no_authorization(open_client: Callable[..., ResponsesClient]) -> None:
    with raw_server(http_answer(b"{}")) as server:
        client = open_client(server.url)
        keyless = ResponsesClient(
            client._wire._session,
            url=server.url,
            api_key="",
            connect_timeout_seconds=5,
            read_timeout_seconds=5,
            max_bytes=99,
        )
        keyless.create(b"{}", idempotency_key="job_1", call=Call(seconds=60))
    assert b"authorization" not in server.requests[0].lower()


@pytest.mark.parametrize("status", [400, 401, 404, 408, 409, 418, 429, 500, 502, 503, 529])
def test_a_refusal_is_an_answer_like_any_other(status: int, endpoint: str, post: Post) -> None:
    answer = post(endpoint, request_body(fault=f"status={status};code=Odd;retry_after=7"))
    assert answer.http_status == status
    assert json.loads(answer.body)["error"]["code"] == "Odd"
    assert answer.headers["Retry-After"] == "7"


def test_a_refusal_that_repeats_the_key_does_not_hand_it_on_and_an_answer_stays_as_it_is(post: Post) -> None:
    told = b'{"error": {"message": "Incorrect API key provided: the-key"}}'
    with raw_server(http_answer(told, status="401 Unauthorized")) as refusing, raw_server(http_answer(told)) as server:
        refusal, answer = post(f"{refusing.url}/v1", b"{}"), post(f"{server.url}/v1", b"{}")
    assert (refusal.body, answer.body) == (told.replace(b"the-key", b"***"), told)


@pytest.mark.parametrize("fault", ["body=html", "body=text", "body=empty", "json=broken", "status=502;body=html"])
def test_what_is_no_json_comes_as_the_bytes_it_is(fault: str, endpoint: str, post: Post) -> None:
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(post(endpoint, request_body(fault=fault)).body)


@pytest.mark.parametrize("fault", ["cut=before", "cut=headers", "cut=middle"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_connection_is_a_cut_and_the_request_was_sent(
    fault: str, stream: bool, endpoint: str, post: Post
) -> None:
    with pytest.raises(Cut) as caught:
        post(endpoint, request_body(fault=fault, stream=stream))
    assert caught.value.sent


@pytest.mark.parametrize("fault", ["hang", "stall", "stall;stream=always", "delay=1000", "pace=1000;stream=always"])
def test_silence_beyond_the_read_timeout_is_a_stall(fault: str, endpoint: str, post: Post) -> None:
    with pytest.raises(Stalled) as caught:
        post(endpoint, request_body(fault=fault), read_seconds=0.2)
    assert caught.value.sent


@pytest.mark.parametrize("fault", ["drip=0.3", "drip_headers=0.3"])
def test_a_slow_answer_comes_whole(fault: str, endpoint: str, post: Post) -> None:
    assert json.loads(post(endpoint, request_body(fault=fault)).body)["status"] == "completed"


@pytest.mark.parametrize("fault", ["huge=3000000", "huge=3000000;stream=always"])
def test_an_answer_beyond_the_bound_is_not_read_to_its_end(fault: str, endpoint: str, post: Post) -> None:
    with pytest.raises(TooLarge) as caught:
        post(endpoint, request_body(fault=fault), most=100_000)
    assert caught.value.sent


def test_a_small_answer_that_unpacks_to_a_huge_one_is_refused(post: Post) -> None:
    bomb = gzip.compress(b" " * 50_000_000)
    with raw_server(http_answer(bomb, "Content-Encoding: gzip")) as server, pytest.raises(TooLarge):
        post(server.url, most=1_000_000)


def test_a_packed_answer_is_unpacked_even_if_it_comes_in_small_pieces(post: Post) -> None:
    packed = gzip.compress(b'{"status": "completed", "output": []}')
    answer = http_answer(packed, "Content-Encoding: gzip")

    def drip(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for place in range(len(answer)):
            connection.sendall(answer[place : place + 1])

    with raw_server(drip) as server:
        assert json.loads(post(server.url).body) == {"status": "completed", "output": []}


def test_an_answer_that_cannot_be_unpacked_is_broken(post: Post) -> None:
    with raw_server(http_answer(b"not packed", "Content-Encoding: gzip")) as server, pytest.raises(BrokenAnswer):
        post(server.url)


def test_an_answer_in_chunks_comes_whole(post: Post) -> None:
    with raw_server(chunked_answer(b'{"a":', b"1}")) as server:
        assert post(server.url).body == b'{"a":1}'


def test_chunks_that_stop_early_are_a_cut(post: Post) -> None:
    whole = chunked_answer(b'{"status":', b'"completed"}')
    with raw_server(whole[:-5]) as server, pytest.raises(Cut):
        post(server.url)


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
def test_a_redirect_is_not_followed(status: str, post: Post) -> None:
    with raw_server(http_answer(b"{}")) as other:
        location = f"Location: {other.url}/v1/responses"
        with raw_server(http_answer(b"", location, status=status)) as server:
            assert post(server.url).http_status == int(status[:3])
    assert other.requests == []


def test_a_redirect_whose_answer_is_beyond_the_bound_is_not_read_to_its_end(post: Post) -> None:
    redirect = http_answer(b"x" * 300_000, "Location: /elsewhere", status="302 Found")
    with raw_server(redirect) as server, pytest.raises(TooLarge):
        post(server.url, most=100_000)


def test_what_a_redirect_says_is_kept(post: Post) -> None:
    with raw_server(http_answer(b"moved", "Location: /elsewhere", status="302 Found")) as server:
        assert post(server.url).body == b"moved"


@pytest.mark.parametrize("data", [b"", b"nonsense\r\n\r\n", b"HTTP/1.1 2"])
def test_what_is_no_http_is_a_cut(data: bytes, post: Post) -> None:
    with raw_server(data) as server, pytest.raises(CallError) as caught:
        post(server.url)
    assert caught.value.sent


def test_nobody_at_the_address_means_that_nothing_was_sent(post: Post) -> None:
    with pytest.raises(Unreachable, match="connection refused") as caught:
        post(f"http://127.0.0.1:{free_port()}")
    assert not caught.value.sent
    assert "127.0.0.1" not in str(caught.value)


def test_an_unknown_name_means_that_nothing_was_sent(post: Post) -> None:
    with pytest.raises(Unreachable, match="its name is not known") as caught:
        post("http://nobody.invalid")
    assert not caught.value.sent


@pytest.mark.parametrize(
    "fault", ["", "stream=no_event_lines", "stream=no_done", "stream=no_event_lines+no_done", "stream=float_times"]
)
def test_a_stream_is_followed_to_its_last_state(fault: str, endpoint: str, post: Post) -> None:
    final = last_event(post(endpoint, request_body(fault=fault, stream=True)))
    assert final["status"] == "completed"
    assert final["output"]


def test_a_stream_that_breaks_off_with_an_error_keeps_the_error(endpoint: str, post: Post) -> None:
    answer = post(endpoint, request_body(fault="stream=error_event", stream=True))
    assert answer.stream is not None
    assert answer.stream.error is not None
    assert answer.stream.error["code"] == "InternalServiceError"


def test_a_stream_that_was_not_asked_for_is_read_as_one(endpoint: str, post: Post) -> None:
    assert last_event(post(endpoint, request_body(fault="stream=always")))["status"] == "completed"


def test_json_in_place_of_the_stream_is_read_as_json(endpoint: str, post: Post) -> None:
    answer = post(endpoint, request_body(fault="stream=never", stream=True))
    assert answer.stream is None
    assert json.loads(answer.body)["status"] == "completed"


def test_an_incomplete_answer_is_the_last_state_of_its_stream(endpoint: str, post: Post) -> None:
    assert last_event(post(endpoint, request_body(stream=True, max_output_tokens=2)))["status"] == "incomplete"


def test_a_stream_without_an_end_is_a_cut(post: Post) -> None:
    with raw_server(http_answer(b'data: {"type": "response.created"}\n\n', kind=EVENTS)) as server, pytest.raises(Cut):
        post(server.url)


def test_a_stream_of_something_else_is_broken(post: Post) -> None:
    with raw_server(http_answer(b"data: nonsense\n\n", kind=EVENTS)) as server, pytest.raises(BrokenAnswer):
        post(server.url)


@pytest.mark.parametrize("kind", ["text/event-stream; charset=utf-8", "Text/Event-Stream"])
def test_the_kind_of_a_stream_is_known_by_its_name_alone(kind: str, post: Post) -> None:
    with raw_server(http_answer(FINAL, kind=kind)) as server:
        assert last_event(post(server.url)) == {"status": "completed", "output": []}


def test_a_stream_ends_with_its_final_event_though_the_connection_stays_open(post: Post) -> None:
    def linger(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n" + FINAL)
        server.over.wait()

    with raw_server(linger) as server:
        assert last_event(post(server.url))["status"] == "completed"


def test_one_client_makes_many_calls_over_one_connection(open_client: Callable[..., ResponsesClient]) -> None:
    callers = []

    def answer_twice(connection: socket.socket) -> None:
        callers.append(connection)
        for _ in range(2):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n{}")
            connection.recv(65536)

    with raw_server(answer_twice) as server:
        client = open_client(server.url)
        for _ in range(2):
            assert client.create(b"{}", idempotency_key="job_1", call=Call(seconds=60)).body == b"{}"
        assert len(callers) == 1


def test_a_flood_of_interim_answers_ends_the_call(post: Post) -> None:
    with raw_server(b"HTTP/1.1 100 Continue\r\n\r\n" * 100_000) as server, pytest.raises(Cut):
        post(server.url, b"{}")


@pytest.mark.parametrize("status", ["102 Processing", "103 Early Hints", "199 Whatever"])
def test_an_interim_answer_is_not_taken_for_the_answer(post: Post, status: str) -> None:
    interim = f"HTTP/1.1 {status}\r\nLink: </a>\r\n\r\n".encode()
    with raw_server(interim + http_answer(b'{"status": "completed"}')) as server:
        answer = post(f"{server.url}/v1", b"{}")
    assert (answer.http_status, answer.body) == (200, b'{"status": "completed"}')


def test_a_switch_of_protocols_is_never_followed_by_another_request(post: Post) -> None:
    late = b"HTTP/1.1 101 Switching Protocols\r\nConnection: keep-alive\r\n\r\n"
    with raw_server(late) as server:
        assert post(f"{server.url}/v1", b"{}").http_status == 101
        assert post(f"{server.url}/v1", b"{}").http_status == 101
        assert len(server.requests) == 2


def test_a_stream_that_does_not_call_itself_one_is_read_as_one(post: Post) -> None:
    with raw_server(http_answer(FINAL, kind="text/plain")) as server:
        assert last_event(post(f"{server.url}/v1", b"{}"))["status"] == "completed"


def test_what_a_broken_answer_said_of_itself_is_kept(open_client: Callable[..., ResponsesClient]) -> None:
    begun = b'data: {"type": "response.created", "response": {"id": "resp_up"}}\n\n'
    broken = http_answer(begun, "X-Request-Id: r77", kind=EVENTS)
    call = Call(seconds=10)
    with raw_server(broken) as server, pytest.raises(Cut):
        open_client(f"{server.url}/v1").create(b"{}", idempotency_key="job_1", call=call)
    assert (call.http_status, call.request_id, call.response) == (200, "r77", {"id": "resp_up"})


def test_a_response_is_retrieved_and_cancelled_by_its_id(open_client: Callable[..., ResponsesClient]) -> None:
    with raw_server(http_answer(b'{"id": "a/b"}')) as server:
        client = open_client(f"{server.url}/v1")
        for ask in (client.retrieve, client.cancel):
            assert ask("a/b", call=Call(seconds=60)).body == b'{"id": "a/b"}'
    first, second = (request.partition(b"\r\n\r\n") for request in server.requests)
    assert first[0].startswith(b"GET /v1/responses/a%2Fb HTTP/1.1\r\n")
    assert second[0].startswith(b"POST /v1/responses/a%2Fb/cancel HTTP/1.1\r\n")
    for head, _, body in (first, second):
        assert b"authorization: bearer the-key" in head.lower()
        assert b"content-type" not in head.lower()
        assert body == b""


def test_the_connection_is_left_with_the_answer(open_client: Callable[..., ResponsesClient]) -> None:
    call = Call(seconds=60)
    with raw_server(http_answer(b"{}")) as server:
        open_client(server.url).create(b"{}", idempotency_key="job_1", call=call)
    assert call._socket is None
