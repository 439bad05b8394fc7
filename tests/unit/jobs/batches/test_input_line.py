import json
from typing import Any

import pytest

from jobs.batches.input_line import LineMistake, read_line
from tests.fakes.batches import request_line


def read(line: Any) -> Any:
    data = line if isinstance(line, bytes) else json.dumps(line).encode()
    return read_line(data, endpoint="/v1/responses")


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in request_line(1).items() if key != name}


def test_a_line_is_its_custom_id_its_model_and_its_body() -> None:
    found = read(request_line(1, model="m", custom_id="x" * 512))
    assert (found.custom_id, found.model, found.body["input"]) == ("x" * 512, "m", "hello 1")


@pytest.mark.parametrize(
    ("line", "code", "param"),
    [
        (b"{", "invalid_json_line", None),
        (b"[]", "invalid_json_line", None),
        (b'{"a":1,"a":2}', "invalid_json_line", "a"),
        (b"\xff", "invalid_json_line", None),
        (b'{"custom_id":"\\ud800"}', "invalid_json_line", "custom_id"),
        (without("custom_id"), "missing_required_parameter", "custom_id"),
        (request_line(1) | {"custom_id": 7}, "invalid_value", "custom_id"),
        (request_line(1, custom_id=""), "invalid_value", "custom_id"),
        (request_line(1, custom_id="x" * 513), "invalid_value", "custom_id"),
        (without("method"), "missing_required_parameter", "method"),
        (request_line(1) | {"method": "GET"}, "invalid_method", "method"),
        (without("url"), "missing_required_parameter", "url"),
        (request_line(1) | {"url": "/v1/embeddings"}, "invalid_url", "url"),
        (request_line(1) | {"url": ["/v1/responses"]}, "invalid_url", "url"),
        (without("body"), "missing_required_parameter", "body"),
        (request_line(1) | {"body": "hello"}, "invalid_value", "body"),
        (request_line(1) | {"body": {}}, "missing_required_parameter", "body.model"),
        (request_line(1, model=""), "invalid_value", "body.model"),
    ],
)
def test_a_wrong_line_says_what_is_wrong_where(line: Any, code: str, param: str | None) -> None:
    with pytest.raises(LineMistake) as caught:
        read(line)
    assert (caught.value.code, caught.value.param) == (code, param)
    assert len(caught.value.message) < 200
