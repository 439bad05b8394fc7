import threading
from typing import Any

import pytest

from respool.client import Api, path_of
from respool.errors import Refused, Unreachable
from respool.target import Target
from tests.fakes.redis_server import free_port
from tests.fakes.small_api import Answer, Request, answering, query

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


def test_a_submission_carries_the_key_and_its_idempotency_key() -> None:
    with answering(lambda *_: (202, {}, JOB)) as (api, asked):
        assert api.submit({"request": {}}, idempotency_key="k-1").id == "job_1"
        assert asked[0].path == "/v1/jobs"
        assert asked[0].headers["Authorization"] == "Bearer rsp_key"
        assert asked[0].headers["Idempotency-Key"] == "k-1"


def test_a_refusal_that_will_pass_is_tried_again_with_the_same_idempotency_key() -> None:
    def answer(number: int, _: Request) -> Answer:
        return (503, {"Retry-After": "0"}, {}) if number < 2 else (202, {}, JOB)

    with answering(answer) as (api, asked):
        assert api.submit({}, idempotency_key="k-1").id == "job_1"
        assert [request.headers["Idempotency-Key"] for request in asked] == ["k-1"] * 3


def test_the_end_is_waited_for_by_the_service_and_not_by_polling() -> None:
    def answer(number: int, _: Request) -> Answer:
        return (200, {}, JOB | {"status": "queued" if number == 0 else "completed"})

    with answering(answer) as (api, asked):
        assert [job.status for job in api.follow("job_1", every_seconds=7)] == ["queued", "completed"]
        assert [request.headers["Prefer"] for request in asked] == [None, "wait=7"]


def test_lists_are_followed_over_their_pages_up_to_the_bound() -> None:
    def answer(_: int, request: Request) -> Answer:
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


def test_what_a_list_leaves_out_is_said_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    page = {"data": [JOB], "has_more": False, "left_out": ["job_8", "job_\x1b[2J"]}
    with answering(lambda *_: (200, {}, page)) as (api, _):
        assert len(list(api.jobs(most=5))) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "job_8, job_\N{REPLACEMENT CHARACTER}[2J" in said.err


def test_a_redirect_is_not_followed_so_that_the_key_stays_here() -> None:
    with answering(lambda *_: (302, {"Location": "/elsewhere"}, {})) as (api, asked):
        with pytest.raises(Refused, match="redirects"):
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


def test_a_page_that_found_nothing_is_gone_on_from() -> None:
    def answer(_: int, request: Request) -> Answer:
        if "after" not in query(request):
            return (200, {}, {"data": [], "has_more": True, "last_id": "job_9"})
        return (200, {}, {"data": [JOB], "has_more": False, "last_id": "job_1"})

    with answering(answer) as (api, asked):
        assert [job.id for job in api.jobs(most=5)] == ["job_1"]
        assert query(asked[1])["after"] == "job_9"


def test_a_cursor_that_does_not_move_ends_a_list() -> None:
    page = {"data": [JOB], "has_more": True, "last_id": "job_1"}
    with answering(lambda *_: (200, {}, page)) as (api, asked):
        assert len(list(api.jobs(most=100))) == 2
        assert len(asked) == 2


@pytest.mark.parametrize("page", [{"data": "text"}, {"data": [1]}, {}])
def test_an_answer_that_is_no_list_is_said(page: Any) -> None:
    with answering(lambda *_: (200, {}, page)) as (api, _), pytest.raises(Refused, match="no list"):
        list(api.jobs(most=1))


def test_a_service_that_goes_away_while_a_job_is_followed_is_waited_for() -> None:
    def answer(number: int, _: Request) -> Answer:
        return (200, {}, JOB | {"status": "queued" if number == 0 else "completed"})

    with answering(answer) as (api, _):
        states = api.follow("job_1", every_seconds=1)
        assert next(states).status == "queued"
        away = f"http://127.0.0.1:{free_port()}"
        here, api.session.target = api.session.target, Target(url=away, api_key="")
        back = threading.Timer(0.5, setattr, (api.session, "target", here))
        back.start()
        assert [job.status for job in states] == ["completed"]
        back.join()


def test_a_name_is_quoted_in_a_path() -> None:
    assert path_of("lanes", "default:a/b?c", "pause") == "/v1/lanes/default%3Aa%2Fb%3Fc/pause"
