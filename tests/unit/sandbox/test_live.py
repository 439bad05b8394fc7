import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes.sandbox_server import running_sandbox

KEY = {"Authorization": "Bearer any"}


@pytest.fixture
def base() -> Iterator[str]:
    with running_sandbox() as url:
        yield f"{url}/v1/responses"


def begun(base: str, fault: str) -> tuple[str, requests.Response]:
    """The address of a background response that is streamed, and its stream behind the first event."""
    body = {"model": "m", "input": "hello", "background": True, "stream": True}
    answer = requests.post(base, json=body, headers={**KEY, "x-sandbox-fault": fault}, stream=True, timeout=30)
    first = next(line for line in answer.iter_lines(chunk_size=None) if line.startswith(b"data: "))
    return f"{base}/{json.loads(first[6:])['response']['id']}", answer


def found(answer: requests.Response) -> list[dict[str, Any]]:
    told = [line[6:] for line in answer.iter_lines(chunk_size=None) if line.startswith(b"data: {")]
    return [json.loads(data) for data in told]


def stream(url: str, query: str = "") -> list[dict[str, Any]]:
    return found(requests.get(f"{url}?stream=true{query}", headers=KEY, stream=True, timeout=30))


def test_its_events_are_numbered_and_end_with_the_response_as_a_get_shows_it(base: str) -> None:
    url, answer = begun(base, "")
    answer.close()
    events = stream(url)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert [event["type"] for event in events[:2]] == ["response.created", "response.in_progress"]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"] == requests.get(url, headers=KEY, timeout=30).json()


def test_it_goes_on_when_its_caller_leaves_and_is_taken_up_behind_a_number(base: str) -> None:
    url, answer = begun(base, "pace=0.01")
    answer.close()
    whole = stream(url)
    assert stream(url, "&starting_after=3") == whole[4:]
    assert stream(url, "&starting_after=10000") == []


def test_a_cut_in_the_middle_leaves_the_work_to_go_on(base: str) -> None:
    url, answer = begun(base, "cut=middle")
    assert "response.completed" not in [event["type"] for event in found(answer)]
    assert stream(url)[-1]["type"] == "response.completed"


def test_one_that_is_cancelled_ends_its_stream_without_an_end_of_its_own(base: str) -> None:
    url, answer = begun(base, "hang")
    requests.post(f"{url}/cancel", headers=KEY, timeout=30)
    assert "response.completed" not in [event["type"] for event in found(answer)]


def test_one_that_may_not_be_taken_up_is_refused(base: str) -> None:
    url, answer = begun(base, "stream=no_resume")
    answer.close()
    refusal = requests.get(f"{url}?stream=true", headers=KEY, timeout=30)
    assert (refusal.status_code, refusal.json()["error"]["param"]) == (400, "stream")
