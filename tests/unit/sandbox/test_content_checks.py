from typing import Any

import pytest

from sandbox.content_checks import check_input
from sandbox.errors import Refused


def message(*parts: Any, **fields: Any) -> list[Any]:
    return [{"role": "user", "content": list(parts), **fields}]


VIDEO = {"type": "input_video", "video_url": "http://127.0.0.1/a.mp4"}


@pytest.mark.parametrize(
    "given",
    [
        "hello",
        [{"role": "user", "content": "hello"}],
        [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": ""}]}],
        message({"type": "input_text", "text": ""}),
        message({"type": "input_image", "image_url": "u"}, {"type": "input_image", "file_id": "f"}),
        message(VIDEO, {**VIDEO, "fps": 0.001}, {**VIDEO, "fps": 1_000}, {**VIDEO, "fps": None}),
        message({"type": "input_file", "file_data": "YQ==", "filename": "a.txt"}),
        message({"type": "input_audio", "audio_url": "u"}),
        [{"type": "function_call", "call_id": "c", "name": "n", "arguments": "{}"}],
        [{"type": "function_call_output", "call_id": "c", "output": "42"}],
        [{"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "42"}]}],
        [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "s"}], "content": None}],
        [{"type": "item_reference", "id": "msg_1"}],
    ],
)
def test_documented_input_is_let_in(given: Any) -> None:
    check_input(given)


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ("", "input"),
        ([], "input"),
        (3, "input"),
        ({"role": "user"}, "input"),
        (["hello"], "input[0]"),
        ([{"role": "user", "content": "a"}, {"role": "robot", "content": "b"}], "input[1].role"),
        ([{"role": "user"}], "input[0].content"),
        ([{"role": "user", "content": {}}], "input[0].content"),
        ([{"type": "dream"}], "input[0].type"),
        ([{"type": []}], "input[0].type"),
        (message("text"), "input[0].content[0]"),
        (message({"text": "a"}), "input[0].content[0].type"),
        (message({"type": {}}), "input[0].content[0].type"),
        (message({"type": "input_smell"}), "input[0].content[0].type"),
        (message({"type": "input_text"}), "input[0].content[0]"),
        (message({"type": "input_text", "text": 3}), "input[0].content[0].text"),
        (message({"type": "input_image", "image_url": ""}), "input[0].content[0]"),
        (message({"type": "input_image", "image_url": {"url": "u"}}), "input[0].content[0].image_url"),
        (message({"type": "input_file", "file_url": "u", "filename": 3}), "input[0].content[0].filename"),
        (message(VIDEO, {**VIDEO, "fps": 0}), "input[0].content[1].fps"),
        (message({**VIDEO, "fps": -1}), "input[0].content[0].fps"),
        (message({**VIDEO, "fps": 1_000.5}), "input[0].content[0].fps"),
        (message({**VIDEO, "fps": "1"}), "input[0].content[0].fps"),
        (message({**VIDEO, "fps": True}), "input[0].content[0].fps"),
        ([{"type": "function_call", "call_id": "c", "name": "n"}], "input[0].arguments"),
        ([{"type": "function_call_output", "output": "42"}], "input[0].call_id"),
        ([{"type": "function_call_output", "call_id": "c"}], "input[0].output"),
        ([{"type": "reasoning", "summary": [3]}], "input[0].summary[0]"),
        ([{"type": "item_reference"}], "input[0].id"),
    ],
)
def test_other_input_is_refused_with_its_path(given: Any, param: str) -> None:
    with pytest.raises(Refused) as caught:
        check_input(given)
    assert caught.value.param == param
