import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.event_stream import BrokenStream, LastState, last_state

MESSAGE = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hé"}]}


def event(kind: str, **more: Any) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (kind.encode(), json.dumps({"type": kind, **more}).encode())


CREATED = event("response.created", response={"status": "in_progress", "output": []})
COMPLETED = event("response.completed", response={"status": "completed", "output": [MESSAGE]})
STREAM = b": ping\n\n" + CREATED + event("response.output_text.delta", delta="hé") + COMPLETED + b"data: [DONE]\n\n"


@given(st.lists(st.integers(min_value=0, max_value=len(STREAM)), max_size=40))
def test_the_way_the_bytes_are_cut_up_does_not_count(cuts: list[int]) -> None:
    places = sorted({0, len(STREAM), *cuts})
    chunks = [STREAM[a:b] for a, b in itertools.pairwise(places)]
    assert last_state(chunks).response == {"status": "completed", "output": [MESSAGE]}


def test_single_bytes_with_crlf_are_read() -> None:
    data = STREAM.replace(b"\n", b"\r\n")
    found = last_state(data[i : i + 1] for i in range(len(data)))
    assert found.response is not None
    assert found.response["status"] == "completed"


def test_neither_event_lines_nor_done_are_needed() -> None:
    plain = b"".join(line + b"\n" for line in (CREATED + COMPLETED).split(b"\n") if not line.startswith(b"event:"))
    assert last_state([plain]).response is not None


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert last_state([COMPLETED.rstrip()]).response is not None


def test_data_over_several_lines_is_one_event() -> None:
    data = b'data: {"type": "response.completed",\ndata:"response": {"status": "completed", "output": []}}\n\n'
    assert last_state([data]).response == {"status": "completed", "output": []}


@pytest.mark.parametrize("status", ["completed", "incomplete", "failed", "cancelled"])
def test_the_status_is_taken_from_the_name_of_the_event_where_the_response_has_none(status: str) -> None:
    found = last_state([event(f"response.{status}", response={"output": []})]).response
    assert found == {"status": status, "output": []}


@pytest.mark.parametrize("final", [{"status": "completed"}, {"status": "completed", "output": []}])
def test_items_are_put_together_where_the_final_event_has_none(final: dict[str, Any]) -> None:
    second, first = {"type": "message", "id": "b"}, {"type": "reasoning", "id": "a"}
    stream = [
        event("response.output_item.done", output_index=1, item=second),
        event("response.output_item.done", output_index=0, item=first),
        event("response.completed", response=final),
    ]
    found = last_state(stream).response
    assert found is not None
    assert found["output"] == [first, second]


def test_items_without_a_place_keep_their_order() -> None:
    items = [{"type": "message", "id": name} for name in "abc"]
    stream = [event("response.output_item.done", output_index=None, item=item) for item in items]
    found = last_state([*stream, event("response.completed", response={})]).response
    assert found is not None
    assert found["output"] == items


@pytest.mark.parametrize(
    ("data", "error"),
    [
        ({"type": "error", "code": "server_error", "message": "m"}, {"code": "server_error", "message": "m"}),
        ({"error": {"code": "ServerOverloaded", "message": "m"}}, {"code": "ServerOverloaded", "message": "m"}),
        ({"type": "error", "error": {"code": "c", "message": "m"}}, {"code": "c", "message": "m"}),
    ],
)
def test_an_error_event_of_either_shape_ends_the_stream(data: dict[str, Any], error: dict[str, Any]) -> None:
    found = last_state([b"data: %s\n\n" % json.dumps(data).encode(), COMPLETED])
    assert found.response is None
    assert found.error is not None
    assert error.items() <= found.error.items()


def test_nothing_is_read_after_the_final_event() -> None:
    def chunks() -> Any:
        yield COMPLETED
        raise AssertionError("read on after the end")

    assert last_state(chunks()).response is not None


@pytest.mark.parametrize("data", [b"", b"\n\n", b": ping\n\n", CREATED, b"data: [DONE]\n\n" + COMPLETED])
def test_a_stream_without_an_end_has_no_last_state(data: bytes) -> None:
    assert last_state([data]) == LastState()


@pytest.mark.parametrize("text", [b"{\n\n", b"[1]\n\n", b"1\n\n", b"null\n\n", b"nope", b"\xff"])
def test_an_event_that_is_no_object_is_broken(text: bytes) -> None:
    with pytest.raises(BrokenStream):
        last_state([b"data: " + text])


def test_an_event_nested_beyond_reason_is_broken() -> None:
    with pytest.raises(BrokenStream):
        last_state([b"data: " + b"[" * 200_000 + b"\n\n"])


@given(st.binary())
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        found = last_state([data])
    except BrokenStream:
        return
    assert isinstance(found, LastState)


@pytest.mark.parametrize("response", [None, "x", 1, []])
def test_an_ending_without_a_response_is_no_end(response: Any) -> None:
    assert last_state([event("response.completed", response=response)]).response is None


@pytest.mark.parametrize(
    "noise", [b"event: ping\ndata:\n\n", b"event: ping\ndata: ping\n\n", b"data: \n\n", b"\xef\xbb\xbf"]
)
def test_events_that_are_none_of_the_protocols_are_passed_over(noise: bytes) -> None:
    assert last_state([noise + STREAM]).response is not None


def test_the_event_line_may_be_all_that_names_the_type() -> None:
    found = last_state([b'event: response.completed\ndata: {"response": {"output": []}}\n\n']).response
    assert found == {"status": "completed", "output": []}


@pytest.mark.parametrize(
    "data", [b'event: error\ndata: {"code": "server_error", "message": "m"}\n\n', b'data: {"error": "boom"}\n\n']
)
def test_an_error_is_known_by_its_event_line_or_its_field(data: bytes) -> None:
    assert last_state([data]).error is not None


def test_lines_may_end_with_cr_alone() -> None:
    data = STREAM.replace(b"\n", b"\r")
    assert last_state(data[i : i + 7] for i in range(0, len(data), 7)).response is not None


def test_each_event_but_the_last_is_told_as_soon_as_it_has_come() -> None:
    told: list[Any] = []

    def chunks() -> Iterator[bytes]:
        for name in ("a", "b"):
            yield b'data: {"type": "%s"}\n\n' % name.encode()
            assert [event["type"] for event in told][-1] == name
        yield b'data: {"type": "response.completed", "response": {}}\n\ndata: {"type": "c"}\n\n'

    last_state(chunks(), tell=told.append)
    assert told == [{"type": "a"}, {"type": "b"}]


def test_an_event_whose_type_is_no_text_is_passed_over() -> None:
    state = last_state([b'data: {"type": ["a"]}\n\ndata: {"type": "response.completed", "response": {"id": "r"}}\n\n'])
    assert state.response == {"id": "r", "status": "completed"}
