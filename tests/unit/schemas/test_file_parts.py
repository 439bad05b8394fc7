from typing import Any

import pytest

from schemas.content import INPUT_PARTS
from schemas.file_parts import CARRIERS, file_parts, is_own_id

OWN = "file-" + "0a" * 16
PART = {"type": "input_image", "file_id": OWN}


def places(request: dict[str, Any]) -> list[str]:
    return [path for path, _ in file_parts(request)]


@pytest.mark.parametrize(
    "other", ["file-abc", "file-" + "0A" * 16, "file-" + "0" * 33, OWN + "\n", "0" * 32, "", None, 5, ["file-"]]
)
def test_only_what_can_have_been_uploaded_here_is_ours(other: object) -> None:
    assert is_own_id(OWN)
    assert not is_own_id(other)
    assert places({"input": [{"content": [{"type": "input_image", "file_id": other}]}]}) == []


@pytest.mark.parametrize(
    ("request_body", "paths"),
    [
        ({"input": "text"}, []),
        ({}, []),
        ({"input": [{"role": "user", "content": "text"}]}, []),
        ({"input": [{"content": [{"type": "input_text"}, PART]}, {"content": [PART]}]},
         ["input[0].content[1]", "input[1].content[0]"]),
        ({"input": [{"type": "function_call_output", "output": [PART]}]}, ["input[0].output[0]"]),
        ({"input": "x", "instructions": [{"role": "system", "content": [PART]}]}, ["instructions[0].content[0]"]),
        ({"input": "x", "prompt": {"id": "p", "variables": {"v": PART, "w": "text"}}}, ["prompt.variables.v"]),
        ({"input": "x", "prompt": {"id": "p"}}, []),
        ({"input": [{"type": "item_reference", "id": OWN}, 5, None]}, []),
    ],
)  # fmt: skip
def test_parts_are_found_wherever_media_may_stand(request_body: dict[str, Any], paths: list[str]) -> None:
    assert places(request_body) == paths


def test_every_part_that_takes_a_file_id_is_known_with_fields_that_its_schema_has() -> None:
    taking = {name: schema().fields for name, schema in INPUT_PARTS.items() if "file_id" in schema().fields}
    assert taking.keys() == CARRIERS.keys()
    for name, fields in taking.items():
        assert {CARRIERS[name].data, CARRIERS[name].url} <= fields.keys()
