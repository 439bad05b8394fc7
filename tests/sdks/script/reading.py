"""What is read beside the responses themselves: their input, the list of them, the models."""

import json
import uuid
from typing import Any

from openai import NotFoundError

from tests.sdks.script.caller import Caller, raised
from tests.sdks.script.creating import PIXEL
from tests.sdks.script.validity import assert_items, assert_models

TURNS = [{"role": "user", "content": f"turn {number}"} for number in range(25)]


EVERY_KIND = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}"}]},
    {"role": "assistant", "content": "A pixel."},
    {"role": "user", "content": [{"type": "input_text", "text": "What is the weather in Rome?"}]},
    {"type": "function_call", "call_id": "call_1", "name": "get_weather", "arguments": "{}"},
    {"type": "function_call_output", "call_id": "call_1", "output": "sunny"},
]


def check_the_items_of_an_input_are_paged(caller: Caller) -> None:
    response = caller.begin(input=TURNS)
    items = caller.client().responses.input_items
    oldest_first = list(items.list(response.id, limit=10, order="asc"))
    newest_first = list(items.list(response.id))
    assert [item.content[0].text for item in oldest_first] == [turn["content"] for turn in TURNS]
    assert [item.id for item in newest_first] == [item.id for item in reversed(oldest_first)]
    assert len({item.id for item in oldest_first}) == len(TURNS)
    page = items.list(response.id, limit=10, order="asc", after=oldest_first[9].id)
    assert ([item.id for item in page.data], page.has_more) == ([item.id for item in oldest_first[10:20]], True)


def check_a_text_is_one_item_of_the_user(caller: Caller) -> None:
    (item,) = caller.client().responses.input_items.list(caller.begin(input="hello").id)
    assert (item.type, item.role, item.content[0].type, item.content[0].text) == (
        "message",
        "user",
        "input_text",
        "hello",
    )


def check_items_of_every_kind_are_valid(caller: Caller) -> None:
    response = caller.begin(input=EVERY_KIND)
    raw = caller.client().responses.input_items.with_raw_response.list(response.id, order="asc")
    page = json.loads(raw.http_response.text)
    assert_items(page)
    kinds = ["message"] * 4 + ["function_call", "function_call_output"]
    assert [item["type"] for item in page["data"]] == kinds


def check_include_is_taken_when_reading(caller: Caller) -> None:
    response = caller.begin()
    assert caller.retrieve(response.id, include=["message.output_text.logprobs"]).id == response.id


def check_responses_are_listed(caller: Caller) -> None:
    tag = uuid.uuid4().hex
    begun = [caller.begin(metadata={"tag": tag}).id for _ in range(3)]
    found, after = [], ""
    while len(found) < 3:
        page: Any = caller.client().get(f"/responses?limit=2{after}", cast_to=object)
        found += [response["id"] for response in page["data"] if response["metadata"].get("tag") == tag]
        after = f"&after={page['last_id']}"
        assert page["has_more"] or len(found) == 3
    assert found == begun[::-1]


def check_models_are_listed(caller: Caller) -> None:
    models = {model.id: model for model in caller.client().models.list()}
    assert (models[caller.model].object, type(models[caller.model].created)) == ("model", int)
    assert_models(json.loads(caller.client().models.with_raw_response.list().http_response.text))
    assert caller.client().models.retrieve(caller.model).id == caller.model
    raised(NotFoundError, lambda: caller.client().models.retrieve("no-such-model"))
