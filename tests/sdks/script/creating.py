"""All ways to ask for a response, and what comes back beside the answer."""

import asyncio
import uuid
from typing import Any

from openai import AsyncOpenAI, BadRequestError, NotFoundError
from pydantic import BaseModel

from tests.sdks.script.caller import Caller, faulty, options, raised
from tests.sdks.script.core import ASKING

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="


class Weather(BaseModel):
    city: str
    degrees: float


def check_what_was_asked_stands_in_the_answer(caller: Caller) -> None:
    asked = {"instructions": "Be brief.", "metadata": {"customer": "42"}, "temperature": 0.5, "max_output_tokens": 500}
    response = caller.create(**asked)
    assert {name: getattr(response, name) for name in asked} == asked
    assert response.model == caller.model


def check_an_answer_is_parsed_into_the_caller_s_own_type(caller: Caller) -> None:
    response = caller.client().responses.parse(model=caller.model, input="In Rome?", text_format=Weather)
    assert isinstance(response.output_parsed, Weather)


def check_a_tool_s_result_is_taken(caller: Caller) -> None:
    (call,) = caller.create(**ASKING).output
    said = {"role": "user", "content": ASKING["input"]}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}
    called = {name: getattr(call, name) for name in ("type", "call_id", "name", "arguments")}
    response = caller.create(input=[said, called, result], tools=ASKING["tools"])
    assert f"The tool call {call.call_id} returned: sunny" in response.output_text


def check_a_picture_is_looked_at(caller: Caller) -> None:
    picture = {"type": "input_image", "image_url": f"data:image/png;base64,{PIXEL}", "detail": "auto"}
    response = caller.create(input=[{"role": "user", "content": [picture]}])
    assert "a picture in png of 1x1 pixels" in response.output_text


def check_earlier_turns_stand_before_the_input(caller: Caller) -> None:
    first = caller.create(input="My name is Alice.")
    second = caller.create(input="What is my name?", previous_response_id=first.id)
    third = caller.create(input="And again?", previous_response_id=second.id)
    assert (second.previous_response_id, third.previous_response_id) == (first.id, second.id)
    assert "The conversation has 3 turns." in second.output_text
    assert "The conversation has 5 turns." in third.output_text


def check_an_unknown_previous_response_is_a_bad_request(caller: Caller) -> None:
    unknown = f"resp_{uuid.uuid4().hex}"
    error = raised(BadRequestError, lambda: caller.create(previous_response_id=unknown))
    assert error.param == "previous_response_id"


def check_nothing_is_kept_where_it_is_not_to_be_stored(caller: Caller) -> None:
    response = caller.create(store=False)
    assert (response.status, response.store) == ("completed", False)
    raised(NotFoundError, lambda: caller.retrieve(response.id))


def check_a_background_one_must_be_stored(caller: Caller) -> None:
    error = raised(BadRequestError, lambda: caller.begin(store=False))
    assert error.param == "store"


def check_own_options_go_in_and_come_out_in_one_object(caller: Caller) -> None:
    response = caller.begin(**options(priority=9, max_attempts=2), **faulty("status=500;times=1"))
    assert response.respool["job_id"] == response.id.replace("resp_", "job_")
    ended = caller.ended(response.id)
    assert [attempt["outcome"] for attempt in ended.respool["attempts"]] == ["failed", "completed"]
    assert ended.respool["currency"] == "USD"


def check_an_unknown_option_is_named(caller: Caller) -> None:
    error = raised(BadRequestError, lambda: caller.create(**options(prioritty=9)))
    assert error.param == "respool.prioritty"


def check_answers_carry_the_headers_that_the_sdk_reads(caller: Caller) -> None:
    raw = caller.client().responses.with_raw_response.create(model=caller.model, input="hello")
    response = raw.parse()
    assert raw.headers["x-request-id"] == response._request_id
    assert raw.headers["x-respool-response-id"] == response.id
    begun = caller.client().responses.with_raw_response.create(model=caller.model, input="hello", background=True)
    assert 500 <= int(begun.headers["openai-poll-after-ms"]) <= 10_000


def check_one_that_the_sdk_sends_again_is_made_once(caller: Caller) -> None:
    tag = uuid.uuid4().hex
    client = caller.client(timeout=0.6, max_retries=5)
    response = client.responses.create(model=caller.model, input="hello", metadata={"sandbox": "delay=1.2", "tag": tag})
    assert response.status == "completed"
    listed: Any = caller.client().get("/responses?limit=100", cast_to=object)
    assert [found["id"] for found in listed["data"] if found["metadata"].get("tag") == tag] == [response.id]


def check_the_asynchronous_client_does_the_same(caller: Caller) -> None:
    asyncio.run(_asynchronously(caller))


async def _asynchronously(caller: Caller) -> None:
    async with AsyncOpenAI(base_url=caller.base_url, api_key=caller.key) as client:
        begun = await client.responses.create(model=caller.model, input="hello", background=True)
        events = [event async for event in await client.responses.retrieve(begun.id, stream=True)]
        waited = await client.responses.create(model=caller.model, input="hello")
    assert (events[-1].type, events[-1].response.id) == ("response.completed", begun.id)
    assert waited.status == "completed"
