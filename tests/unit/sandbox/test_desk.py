import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.calls import Call
from sandbox.connection import Connection
from sandbox.desk import Desk
from sandbox.errors import Refused
from sandbox.settings import SandboxSettings

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["input_text", "input_image", "input_video", "input_file", "output_text", "message"])
DATA = st.just("data:text/plain;base64,YQ==")
PART = st.fixed_dictionaries(
    {"type": TYPES | JSON},
    optional=dict.fromkeys(("text", "fps", "filename"), JSON)
    | dict.fromkeys(("image_url", "video_url", "file_data"), DATA | JSON),
)
ITEM_TYPES = st.sampled_from(["message", "function_call", "function_call_output", "reasoning", "web_search_call"])
ITEM = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant"]) | JSON, "content": st.text() | st.lists(PART, max_size=3) | JSON},
    optional={"type": ITEM_TYPES | JSON}
    | dict.fromkeys(("id", "call_id", "name", "arguments", "output", "summary"), JSON),
)
TOOL = st.fixed_dictionaries(
    {"type": st.just("function") | JSON, "name": st.sampled_from(["look", "find_it"]) | JSON},
    optional={"parameters": JSON | st.fixed_dictionaries({"properties": st.dictionaries(st.text(max_size=4), JSON)})},
)
BODY = st.fixed_dictionaries(
    {"model": st.just("m") | JSON, "input": st.text() | st.lists(ITEM, max_size=3) | JSON},
    optional={
        "tools": st.lists(TOOL, max_size=2) | JSON,
        "tool_choice": st.sampled_from(["auto", "required"])
        | st.fixed_dictionaries({"type": st.sampled_from(["function", "allowed_tools"]), "tools": JSON, "name": JSON})
        | JSON,
        "text": st.fixed_dictionaries(
            {"format": st.fixed_dictionaries({"type": st.just("json_schema"), "schema": JSON})}
        ),
        **dict.fromkeys(("stream", "background", "store"), st.booleans() | JSON),
        "metadata": st.fixed_dictionaries({"sandbox": st.text("=;,0abc", max_size=20)}) | JSON,
        **dict.fromkeys(
            ("temperature", "reasoning", "max_output_tokens", "instructions", "previous_response_id"), JSON
        ),
    },
)


def new_call() -> Call:
    return Call(request_id="req_1", idempotency_key="k", started_at=0.0, in_flight=1)


@settings(max_examples=300, deadline=None)
@given(BODY)
def test_whatever_is_asked_is_answered_in_full_or_refused_with_a_4xx(body: dict[str, Any]) -> None:
    desk = Desk(settings=SandboxSettings())
    call = new_call()
    try:
        read = desk.read(call, json.dumps(body).encode())
        payload, _ = desk.answer(call, read, fault_header=None, connection=Connection(None))
        status, data = payload.status, b"".join(payload.walk())
    except Refused as refusal:
        status, data = refusal.status, json.dumps(refusal.body()).encode()
    assert status == 200 or 400 <= status < 500
    begun = b'"status": "queued"'
    assert (
        begun in data or b"Sandbox: no language model" in data
        if status == 200
        else json.loads(data)["error"]["message"]
    )


def test_a_fault_whose_turns_are_over_leaves_a_plain_answer() -> None:
    desk = Desk(settings=SandboxSettings())
    body = {"model": "m", "input": "x"}

    def status() -> int:
        payload, _ = desk.answer(new_call(), body, fault_header="status=503;times=1", connection=Connection(None))
        return payload.status

    assert [status(), status()] == [503, 200]
    desk.forget()
    assert status() == 503
