import json
from typing import Any

import pytest

from sandbox.answer import write_answer
from sandbox.events import DONE
from sandbox.faults import SHAPES, parse_fault
from sandbox.payload import Payload, answer_payload
from sandbox.prompt import read_prompt
from sandbox.response import answered, new_response


def full_response() -> dict[str, Any]:
    body = {"model": "m", "input": "hello", "reasoning": {"effort": "high"}}
    prompt = read_prompt(body)
    answer = write_answer(body, prompt, [])
    return answered(new_response(body, created_at=10), answer=answer, prompt=prompt, media=[], completed_at=12)


def payload(fault: str = "", *, is_stream: bool = False) -> Payload:
    return answer_payload(full_response(), fault=parse_fault(fault), is_stream=is_stream)


def json_of(fault: str) -> Any:
    sent = payload(fault)
    return json.loads(b"".join(sent.walk()))


def told(fault: str = "") -> list[Any]:
    pieces = [piece for piece in payload(fault, is_stream=True).walk() if piece != DONE]
    return [json.loads(piece.partition(b"data: ")[2]) for piece in pieces]


def test_without_a_fault_the_response_is_sent_whole() -> None:
    assert json_of("").keys() == full_response().keys()
    assert payload().byte_count == len(b"".join(payload().walk()))


def test_broken_json_keeps_the_length_it_tells() -> None:
    sent = payload("json=broken")
    (data,) = sent.walk()
    assert sent.byte_count == len(data)
    with pytest.raises(json.JSONDecodeError):
        json.loads(data)


@pytest.mark.parametrize("is_stream", [False, True])
def test_a_huge_answer_is_padded_and_still_json(is_stream: bool) -> None:
    plain = sum(map(len, payload("", is_stream=is_stream).walk()))
    sent = payload("huge=200000", is_stream=is_stream)
    assert 200_000 < sum(map(len, sent.walk())) - plain + 1_000 < 202_000
    data = b"".join(sent.walk()).replace(DONE, b"").rpartition(b"data: ")[2]
    assert len(json.loads(data)["padding"]) == 200_000


def test_padding_an_empty_object_is_still_json() -> None:
    assert json_of("huge=10;shape=empty_object") == {"padding": "x" * 10}


def test_the_bare_shape_has_only_what_the_sparse_sample_has() -> None:
    bare = json_of("shape=bare")
    assert sorted(bare) == ["completed_at", "created_at", "id", "model", "object", "output", "status", "usage"]
    assert all("id" not in item for item in bare["output"])
    assert sorted(bare["output"][1]["content"][0]) == ["text", "type"]
    assert "input_tokens_details" not in bare["usage"]


def test_each_shape_is_another() -> None:
    seen = {shape: json_of(f"shape={shape}") for shape in SHAPES}
    assert seen["null_output"]["output"] is None
    assert "output" not in seen["no_output"]
    assert isinstance(seen["array"], list)
    assert isinstance(seen["string"], str)
    assert isinstance(seen["wrong"]["output"], dict)
    assert set(seen["error_in_200"]) == {"error"}
    assert seen["status_failed"]["error"]["code"] == "server_error"
    assert [seen[f"status_{name}"]["status"] for name in ("failed", "in_progress", "cancelled", "unknown")] == [
        *("failed", "in_progress", "cancelled", "unknown")
    ]


def test_a_failed_response_says_the_code_and_message_that_are_asked_for() -> None:
    asked = "shape=status_failed;code=ServerOverloaded;message=Too much."
    assert json_of(asked)["error"] == {"code": "ServerOverloaded", "message": "Too much."}
    assert told(asked)[-1]["response"]["error"]["code"] == "ServerOverloaded"


def test_a_stream_may_be_forced_or_withheld() -> None:
    assert payload("stream=always").content_type.startswith("text/event-stream")
    assert payload("stream=never", is_stream=True).content_type == "application/json"


def test_a_stream_may_lack_event_lines_or_its_last_mark() -> None:
    assert payload("", is_stream=True).pieces[-1] == DONE
    assert DONE not in payload("stream=no_done", is_stream=True).pieces
    assert all(piece.startswith(b"event: ") for piece in payload("", is_stream=True).pieces[:-1])
    assert all(piece.startswith(b"data: ") for piece in payload("stream=no_event_lines", is_stream=True).pieces)


def test_an_error_event_ends_the_stream_with_a_failed_response() -> None:
    events = told("stream=error_event+int_codes")
    assert [event["type"] for event in events[-2:]] == ["error", "response.failed"]
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    assert (events[-2]["code"], events[-1]["response"]["error"]["code"]) == (500, 500)


def test_times_may_be_floats() -> None:
    assert json_of("stream=float_times")["created_at"] == 10.25
    assert told("stream=float_times")[-1]["response"]["completed_at"] == 12.25


def test_the_end_of_a_stream_follows_the_status_of_its_shape() -> None:
    assert told("shape=status_failed")[-1]["type"] == "response.failed"
    assert told("shape=null_output")[-1]["response"]["output"] is None
    assert told("shape=array")[-1]["type"] == "response.completed"


def test_broken_json_in_a_stream_breaks_one_event() -> None:
    broken = 0
    for piece in payload("json=broken", is_stream=True).pieces[:-1]:
        try:
            json.loads(piece.partition(b"data: ")[2])
        except json.JSONDecodeError:
            broken += 1
    assert broken == 1
