from typing import Any

import pytest

from respool.client import Api
from respool.errors import Refused, Unreachable
from respool.session import refusal
from respool.target import Target
from tests.fakes.small_api import Answer, Request, answering


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


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ({"message": "must be at most 1", "param": "top_p"}, "refused (400): top_p: must be at most 1"),
        ({"message": "top_p: must be at most 1", "param": "top_p"}, "refused (400): top_p: must be at most 1"),
        ({"message": "no", "param": None}, "refused (400): no"),
    ],
)
def test_a_single_mistake_is_one_line_that_names_its_field_once(error: dict[str, Any], text: str) -> None:
    assert refusal(400, {"error": error, "errors": [error]}) == text


def test_what_is_refused_keeps_status_code_and_param() -> None:
    document = {"error": {"message": "no", "code": "files_not_configured", "param": "after"}}
    with answering(lambda *_: (501, {}, document)) as (api, _), pytest.raises(Refused) as refused:
        api.get("/v1/files")
    assert (refused.value.http_status, refused.value.code) == (501, "files_not_configured")
    assert refused.value.param == "after"


def test_a_post_without_a_key_is_sent_once_and_one_with_a_key_again() -> None:
    def answer(number: int, _: Request) -> Answer:
        return (503, {"Retry-After": "0"}, {}) if number in (0, 1) else (200, {}, {})

    with answering(answer) as (api, asked):
        with pytest.raises(Refused):
            api.post("/v1/webhook_endpoints", {})
        assert len(asked) == 1
        assert api.post("/v1/batches", {}, key="k") == {}
        assert len(asked) == 3


def test_an_answer_that_is_cut_off_is_no_document() -> None:
    with answering(lambda *_: (200, {}, b'{"id": ')) as (api, _), pytest.raises(Refused, match="no JSON"):
        api.get("/v1/jobs")


@pytest.mark.parametrize("url", ["http://[::1", "http://", "ftp://x", "http://a b"])
def test_an_address_that_is_none_is_unreachable(url: str) -> None:
    with pytest.raises(Unreachable):
        Api(Target(url=url, api_key="")).get("/v1/jobs")


def test_what_says_that_asking_again_is_of_no_use_is_not_asked_again() -> None:
    headers = {"Retry-After": "9", "x-should-retry": "false"}
    with answering(lambda *_: (429, headers, {"error": {"message": "full"}})) as (api, asked):
        with pytest.raises(Refused, match="full"):
            api.get("/v1/jobs")
        assert len(asked) == 1
