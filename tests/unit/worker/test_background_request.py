import json
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from worker.background_request import begun_id, has_result, in_background, refuses_background
from worker.event_stream import LastState
from worker.responses_client import Answer


def answer(body: Any, *, status: int = 200) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(http_status=status, headers=CaseInsensitiveDict(), body=data)


@pytest.mark.parametrize("more", [{}, {"stream": True, "stream_options": {"include_usage": True}}, {"store": None}])
def test_a_request_is_made_one_that_the_upstream_stores_and_does_not_stream(more: dict[str, Any]) -> None:
    asked = in_background(json.dumps({"model": "m", "input": "é", "stream": False, **more}).encode())
    assert json.loads(asked or b"") == {
        "model": "m", "input": "é", "stream": False, "background": True, "store": True
    }  # fmt: skip


def test_what_must_not_be_stored_is_not_made_in_the_background() -> None:
    assert in_background(b'{"model": "m", "input": "x", "store": false}') is None


@pytest.mark.parametrize("status", ["queued", "in_progress"])
def test_a_response_that_has_begun_is_known_by_its_id(status: str) -> None:
    assert begun_id(answer({"id": "resp_1", "status": status})) == "resp_1"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"id": "resp_1", "status": "completed", "output": []}, 200), ({"id": "resp_1"}, 200),
        ({"status": "queued"}, 200),
        ({"id": "", "status": "queued"}, 200), ({"id": 7, "status": "queued"}, 200), (b"<html>", 200), (b"[]", 200),
        ({"id": "x" * 257, "status": "queued"}, 200), ({"id": "a\nb", "status": "queued"}, 200),
        ({"id": "..", "status": "queued"}, 200), ({"id": "resp_1", "status": "queued"}, 500),
    ],
)  # fmt: skip
def test_anything_else_has_begun_nothing_to_be_asked_after(body: Any, status: int) -> None:
    assert begun_id(answer(body, status=status)) is None


def test_a_stream_has_begun_nothing_to_be_asked_after() -> None:
    state = LastState(response={"id": "r", "status": "queued"})
    assert begun_id(Answer(http_status=200, headers=CaseInsensitiveDict(), stream=state)) is None


@pytest.mark.parametrize("status", [400, 404, 422])
@pytest.mark.parametrize(
    "error",
    [
        {"message": "no", "param": "background"},
        {"message": "Unknown parameter: 'background'."},
        {"message": "background mode is not supported by this model"},
        {"message": "Extra inputs are not permitted: background"},
    ],
)
def test_a_refusal_that_names_background_is_about_nothing_else(error: dict[str, Any], status: int) -> None:
    assert refuses_background(answer({"error": error}, status=status))


@pytest.mark.parametrize(
    ("error", "status"),
    [
        ({"message": "Unknown parameter: 'tools[0].background'.", "param": "tools[0].background"}, 400),
        ({"message": "the picture has a white background"}, 400),
        ({"message": "no such model", "code": "model_not_found"}, 404),
        ({"message": "background is not supported", "param": "background"}, 500),
        ({"message": "background is not supported", "param": "background"}, 200),
        (b"<html>", 404),
    ],
)
def test_other_refusals_are_judged_as_any(error: Any, status: int) -> None:
    body = error if isinstance(error, bytes) else {"error": error}
    assert not refuses_background(answer(body, status=status))


@pytest.mark.parametrize(
    ("status", "good"),
    [("completed", True), ("incomplete", True), ("failed", False), ("cancelled", False), ("x", False)],
)
def test_a_good_end_is_one_with_a_result(status: str, good: bool) -> None:
    assert has_result(answer({"status": status, "output": []})) is good
