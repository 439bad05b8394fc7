"""The odd upstreams are as odd as they say, or the service would be shown nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.fakes import odd_upstream as odd
from tests.fakes.sandbox_server import running_sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


def asked(sandbox: str, *oddities: str, fault: str = "", **fields: Any) -> requests.Response:
    body = {"model": "m", "input": "hello", "metadata": {"sandbox": fault} if fault else {}, **fields}
    with odd.running_odd_upstream(sandbox, *oddities) as base:
        return requests.post(f"{base}/v1/responses", json=body, headers={"Authorization": "Bearer any"}, timeout=30)


def test_without_an_oddity_it_hands_on_what_the_sandbox_says(sandbox: str) -> None:
    assert set(asked(sandbox).json()) > {"tools", "incomplete_details", "sandbox"}
    stream = asked(sandbox, stream=True).text
    assert "event: response.output_text.delta" in stream
    assert stream.endswith("data: [DONE]\n\n")


def test_a_bare_one_leaves_out_ids_places_and_most_of_the_response(sandbox: str) -> None:
    response = asked(sandbox, odd.BARE).json()
    assert set(response["output"][0]) == {"type", "role", "content"}
    assert "tools" not in response
    stream = asked(sandbox, odd.BARE, stream=True).text
    assert not [name for name in ("item_id", "_index", "sequence_number", "logprobs") if name in stream]


def test_an_unframed_one_sends_data_alone(sandbox: str) -> None:
    lines = asked(sandbox, odd.UNFRAMED, stream=True).text.split("\n")
    assert {line[:7] for line in lines if line} == {"data: {"}


def test_times_are_floats_and_codes_numbers(sandbox: str) -> None:
    assert isinstance(asked(sandbox, odd.FLOAT_TIMES).json()["created_at"], float)
    assert asked(sandbox, odd.INT_CODES, fault="status=429").json()["error"]["code"] == 500


def test_plain_errors_are_no_json(sandbox: str) -> None:
    answer = asked(sandbox, odd.PLAIN_ERRORS, fault="status=500")
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, "text/plain")


def test_a_strict_one_refuses_what_it_does_not_know(sandbox: str) -> None:
    assert asked(sandbox, odd.STRICT, respool={}).text == "unknown fields: respool"


def test_a_streaming_one_streams_unless_told_not_to(sandbox: str) -> None:
    kinds = [asked(sandbox, odd.STREAMING, **fields).headers["Content-Type"] for fields in ({}, {"stream": False})]
    assert kinds == ["text/event-stream", "application/json"]
