"""Whether an object or event is what the published models say: the SDK's own, strictly, and those of Open Responses."""

from typing import Any

import openresponses_types
from openai.types import Model
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.responses.response_item_list import ResponseItemList
from openresponses_types.types import ResponseResource
from pydantic import BaseModel, TypeAdapter

_SDK_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)

# What the two protocols spell differently: the SDK's error frame is flat, events of reasoning have other names.
_SDK_ALONE = {
    "error",
    "response.reasoning_summary_text.delta",
    "response.reasoning_summary_text.done",
    "response.reasoning_text.delta",
    "response.reasoning_text.done",
}


def _open_events() -> dict[str, type[BaseModel]]:
    models = [
        getattr(openresponses_types, name) for name in dir(openresponses_types) if name.endswith("StreamingEvent")
    ]
    return {next(iter(model.model_fields["type"].annotation)).value: model for model in models}


_OPEN_EVENTS = _open_events()


def assert_response(raw: dict[str, Any], *, status: str) -> None:
    """The JSON of a Response that has the status."""
    assert raw["status"] == status, raw
    Response.model_validate(raw, strict=True)
    ResponseResource.model_validate(raw)


def assert_items(raw: dict[str, Any]) -> None:
    """The JSON of a page of input items."""
    ResponseItemList.model_validate(raw, strict=True)


def assert_models(raw: dict[str, Any]) -> None:
    """The JSON of the list of models."""
    assert raw["object"] == "list"
    for model in raw["data"]:
        Model.model_validate(model, strict=True)


def assert_event(raw: dict[str, Any]) -> None:
    """The JSON of an event. Those of neither protocol are checked for their number and prefix."""
    assert type(raw["sequence_number"]) is int
    if raw["type"].startswith("respool:"):
        return
    if raw["type"] == "response.cancelled":  # a webhook event only, for the published models
        assert_response(raw["response"], status="cancelled")
        return
    _SDK_EVENTS.validate_python(raw, strict=True)
    if raw["type"] not in _SDK_ALONE:
        _OPEN_EVENTS[raw["type"]].model_validate(raw)
