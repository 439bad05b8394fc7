import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from respool.client import Api, refusal
from respool.errors import Refused, Unreachable
from respool.target import Target
from tests.fakes.redis_server import free_port

Answer = tuple[int, Mapping[str, str], Any]

JOB = {
    "id": "job_1",
    "status": "completed",
    "model": "m",
    "created_at": 1.0,
    "attempts": [],
    "waiting_reason": None,
    "response": None,
    "error": None,
    "usage": None,
}


class Asked(list[BaseHTTPRequestHandler]):
    """The requests that came, in their order."""


@contextmanager
def answering(answer: Callable[[int, BaseHTTPRequestHandler], Answer]) -> Iterator[tuple[Api, Asked]]:
    """A client of a server on loopback that answers its n-th request (from 0) as told."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            asked.append(self)
            status, headers, document = answer(len(asked) - 1, self)
            body = document if isinstance(document, bytes) else json.dumps(document).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer

        def log_message(self, *_: Any) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Api(Target(url=f"http://127.0.0.1:{server.server_port}", api_key="rsp_key")), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def query(request: BaseHTTPRequestHandler) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(request.path).query))


def test_a_submission_carries_the_key_and_its_idempotency_key() -> None:
    with answering(lambda *_: (202, {}, JOB)) as (api, asked):
        assert api.submit({"request": {}}, idempotency_key="k-1").id == "job_1"
        assert asked[0].path == "/v1/jobs"
        assert asked[0].headers["Authorization"] == "Bearer rsp_key"
        assert asked[0].headers["Idempotency-Key"] == "k-1"


def test_a_refusal_that_will_pass_is_tried_again_with_the_same_idempotency_key() -> None:
    def answer(number: int, _: BaseHTTPRequestHandler) -> Answer:
        return (503, {"Retry-After": "0"}, {}) if number < 2 else (202, {}, JOB)

    with answering(answer) as (api, asked):
        assert api.submit({}, idempotency_key="k-1").id == "job_1"
        assert [request.headers["Idempotency-Key"] for request in asked] == ["k-1"] * 3


def test_the_end_is_waited_for_by_the_service_and_not_by_polling() -> None:
    def answer(number: int, _: BaseHTTPRequestHandler) -> Answer:
        return (200, {}, JOB | {"status": "queued" if number == 0 else "completed"})

    with answering(answer) as (api, asked):
        assert [job.status for job in api.follow("job_1", every_seconds=7)] == ["queued", "completed"]
        assert [request.headers["Prefer"] for request in asked] == [None, "wait=7"]


def test_lists_are_followed_over_their_pages_up_to_the_bound() -> None:
    def answer(_: int, request: BaseHTTPRequestHandler) -> Answer:
        after = query(request).get("after", "job_0")
        first = int(after.removeprefix("job_"))
        data = [JOB | {"id": f"job_{n}"} for n in range(first + 1, first + 3)]
        return (200, {}, {"data": data, "has_more": True, "last_id": data[-1]["id"]})

    with answering(answer) as (api, asked):
        assert [job.id for job in api.jobs(status="queued", most=6)] == [f"job_{n}" for n in range(1, 7)]
        assert [query(request) for request in asked] == [
            {"status": "queued", "limit": "6"},
            {"status": "queued", "limit": "4", "after": "job_2"},
            {"status": "queued", "limit": "2", "after": "job_4"},
        ]


def test_an_empty_page_ends_a_list_whatever_it_says() -> None:
    with answering(lambda *_: (200, {}, {"data": [], "has_more": True, "last_id": None})) as (api, _):
        assert list(api.jobs(status=None, most=10)) == []


def test_a_redirect_is_not_followed_so_that_the_key_stays_here() -> None:
    with answering(lambda *_: (302, {"Location": "/elsewhere"}, {})) as (api, asked):
        with pytest.raises(Refused, match="302"):
            api.job("job_1")
        assert len(asked) == 1


@pytest.mark.parametrize("body", [b"<html>", b"", b"[]", b'{"id": 1}'])
def test_an_answer_that_is_no_job_is_said_and_not_crashed_on(body: bytes) -> None:
    with answering(lambda *_: (200, {}, body)) as (api, _), pytest.raises(Refused):
        api.job("job_1")


def test_where_nobody_listens_the_service_is_unreachable() -> None:
    api = Api(Target(url=f"http://127.0.0.1:{free_port()}", api_key=""))
    with pytest.raises(Unreachable, match="nothing answers"):
        api.job("job_1")


def test_what_is_no_url_is_unreachable_too() -> None:
    with pytest.raises(Unreachable, match="cannot ask"):
        Api(Target(url="nonsense", api_key="")).job("job_1")


def test_proxies_of_the_environment_are_not_used_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with answering(lambda *_: (200, {}, JOB)) as (api, _):
        assert api.job("job_1").id == "job_1"


def test_a_refusal_has_a_line_for_each_mistake() -> None:
    mistakes = [
        {"message": "must be at most 1", "param": "request.top_p", "code": None},
        {"message": "is wrong", "param": None, "code": None},
    ]
    text = refusal(400, {"error": {"message": "first"}, "errors": mistakes})
    assert text.splitlines() == ["refused (400): 2 mistakes", "  request.top_p: must be at most 1", "  is wrong"]


def test_a_single_mistake_is_the_error_itself() -> None:
    assert refusal(404, {"error": {"message": "no such job\x1b"}}) == "refused (404): no such job\ufffd"


@pytest.mark.parametrize("document", [None, {}, {"error": "text"}, {"errors": []}])
def test_a_refusal_without_a_reason_tells_the_status(document: dict[str, Any] | None) -> None:
    assert "502" in refusal(502, document)


def jobs_page(numbers: list[int], *, has_more: bool) -> Answer:
    return 200, {}, {"data": [JOB | {"id": f"job_{number}"} for number in numbers], "has_more": has_more}


def after(handler: BaseHTTPRequestHandler) -> str | None:
    return dict(parse_qsl(urlsplit(handler.path).query)).get("after")


def test_all_jobs_goes_through_every_page_and_holds_one_at_a_time() -> None:
    pages = {None: jobs_page([9, 8], has_more=True), "job_8": jobs_page([7], has_more=False)}
    with answering(lambda _, handler: pages[after(handler)]) as (api, asked):
        found = api.all_jobs()
        assert [next(found)["id"], next(found)["id"], len(asked)] == ["job_9", "job_8", 1]
        assert [job["id"] for job in found] == ["job_7"]


def test_all_jobs_goes_on_after_an_earlier_job_where_the_last_of_a_page_was_deleted() -> None:
    gone: Answer = (400, {}, {"error": {"message": "there is nothing to go on after", "param": "after"}})
    pages = {
        None: jobs_page([9, 8, 7], has_more=True),
        "job_7": gone,
        "job_8": gone,
        "job_9": jobs_page([6, 5], has_more=False),
    }
    with answering(lambda _, handler: pages[after(handler)]) as (api, _):
        assert [job["id"] for job in api.all_jobs()] == [f"job_{number}" for number in (9, 8, 7, 6, 5)]


def test_all_jobs_tells_no_job_twice_and_says_so_where_a_whole_page_was_deleted() -> None:
    gone: Answer = (400, {}, {"error": {"message": "there is nothing to go on after", "param": "after"}})
    pages = {None: jobs_page([9, 8, 7], has_more=True), "job_7": gone, "job_8": jobs_page([7, 6], has_more=True)}
    with answering(lambda _, handler: pages.get(after(handler), gone)) as (api, _):
        found = api.all_jobs()
        assert [next(found)["id"] for _ in range(4)] == ["job_9", "job_8", "job_7", "job_6"]
        with pytest.raises(Refused, match="nothing to go on after"):
            next(found)
