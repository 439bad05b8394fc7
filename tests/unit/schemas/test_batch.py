from typing import Any

import pytest
from marshmallow import ValidationError
from openai.types import Batch

from schemas.batch import TIMES, BatchSchema, batch_create_schema
from schemas.event import BATCH_EVENTS
from schemas.mistakes import flatten

BODY = {"input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h"}
WEBHOOK = {"url": "https://example.com/hook"}
SCHEMA = batch_create_schema({"left": None, "right": frozenset({"m"})})


def mistakes(body: Any) -> dict[str, str]:
    try:
        assert SCHEMA().load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in BODY.items() if name not in names}


@pytest.mark.parametrize(
    "body",
    [
        BODY,
        {**BODY, "metadata": None, "output_expires_after": None},
        {**BODY, "metadata": {"a": "b"}, "output_expires_after": {"anchor": "created_at", "seconds": 3600}},
        {**BODY, "respool": {"completion_window_seconds": 604_800}},
        {**without("completion_window"), "respool": {"completion_window_seconds": 1}},
        {**BODY, "respool": {"priority": 9, "max_attempts": 2, "account": "right", "webhook": None}},
        {**BODY, "respool": {"webhook": {**WEBHOOK, "secret": "whsec_x", "events": list(BATCH_EVENTS)}}},
    ],
)
def test_a_batch_is_asked_for_as_the_protocol_does_it_and_with_options_of_ours(body: dict[str, Any]) -> None:
    assert mistakes(body) == {}


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (without("input_file_id"), "input_file_id"),
        ({**BODY, "input_file_id": ""}, "input_file_id"),
        ({**BODY, "input_file_id": "x" * 65}, "input_file_id"),
        ({**BODY, "input_file_id": 1}, "input_file_id"),
        (without("endpoint"), "endpoint"),
        ({**BODY, "endpoint": "/v1/chat/completions"}, "endpoint"),
        (without("completion_window"), "completion_window"),
        ({**without("completion_window"), "respool": {}}, "completion_window"),
        ({**BODY, "completion_window": "48h"}, "completion_window"),
        ({**BODY, "completion_window": None}, "completion_window"),
        ({**BODY, "metadata": {"a": 1}}, "metadata.a"),
        ({**BODY, "output_expires_after": {"seconds": 3600}}, "output_expires_after.anchor"),
        ({**BODY, "output_expires_after": {"anchor": "now", "seconds": 3600}}, "output_expires_after.anchor"),
        ({**BODY, "output_expires_after": {"anchor": "created_at", "seconds": 3599}}, "output_expires_after.seconds"),
        ({**BODY, "output_expires_after": {"anchor": "created_at", "seconds": 2_592_001}},
         "output_expires_after.seconds"),
        ({**BODY, "respool": {"completion_window_seconds": 0}}, "respool.completion_window_seconds"),
        ({**BODY, "respool": {"completion_window_seconds": 604_801}}, "respool.completion_window_seconds"),
        ({**BODY, "respool": {"completion_window_seconds": 1.5}}, "respool.completion_window_seconds"),
        ({**BODY, "respool": {"account": "middle"}}, "respool.account"),
        ({**BODY, "respool": {"priority": 10}}, "respool.priority"),
        ({**BODY, "respool": {"colour": 1}}, "respool.colour"),
        ({**BODY, "respool": {"webhook": {**WEBHOOK, "events": ["response.completed"]}}}, "respool.webhook.events[0]"),
        ({**BODY, "respool": {"webhook": {**WEBHOOK, "include": "response"}}}, "respool.webhook.include"),
        ({**BODY, "input_files": []}, "input_files"),
        ([], ""),
    ],
)  # fmt: skip
def test_what_is_wrong_with_the_body_is_told_by_its_path(body: Any, path: str) -> None:
    assert mistakes(body).keys() == {path}


def test_a_batch_has_every_field_of_the_sdks_own() -> None:
    assert set(Batch.model_fields) <= set(BatchSchema().fields)
    assert set(TIMES) < set(Batch.model_fields)
