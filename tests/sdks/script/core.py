"""What must work with any upstream, however oddly it answers."""

from openai import BadRequestError, InternalServerError

from tests.sdks.script.caller import Caller, faulty, numbers_of, once, raised, text_of
from tests.sdks.script.validity import assert_event, assert_response

TOOL = {
    "type": "function",
    "name": "get_weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASKING = {"input": "What is the weather in Rome?", "tools": [TOOL]}


def check_a_create_waits_for_the_answer(caller: Caller) -> None:
    response = caller.create(input="Hello, who are you?")
    assert (response.status, response.object, response.background) == ("completed", "response", False)
    assert response.id.startswith("resp_")
    assert response.output_text.startswith("Sandbox:")
    assert response.usage.total_tokens == response.usage.input_tokens + response.usage.output_tokens
    assert_response(caller.raw(response.id), status="completed")


def check_a_background_create_answers_at_once_and_ends(caller: Caller) -> None:
    response = caller.begin(**faulty("delay=0.3"))
    assert response.status in ("queued", "in_progress")
    assert (response.output, response.output_text, response.background) == ([], "", True)
    ended = caller.ended(response.id)
    assert (ended.id, ended.status) == (response.id, "completed")
    assert ended.output_text.startswith("Sandbox:")
    assert_response(caller.raw(response.id), status="completed")


def check_a_stream_tells_what_a_poll_tells(caller: Caller) -> None:
    with caller.create(stream=True) as stream:
        events = list(stream)
    last = events[-1]
    assert [event.type for event in events[:3]] == ["response.created", "response.queued", "response.in_progress"]
    assert last.type == "response.completed"
    assert numbers_of(events) == list(range(len(events)))
    assert text_of(events) == last.response.output_text
    polled = caller.retrieve(last.response.id)
    assert (polled.output, polled.usage) == (last.response.output, last.response.usage)


def check_every_event_of_a_stream_is_valid(caller: Caller) -> None:
    for fields in ({}, ASKING, {"reasoning": {"effort": "high"}}, {"max_output_tokens": 2}):
        events = caller.raw_events(**fields)
        for event in events:
            assert_event(event)
        assert {event["type"] for event in events} >= {"response.output_item.added", "response.output_item.done"}


def check_a_background_stream_resumes_in_the_middle(caller: Caller) -> None:
    with caller.begin(stream=True) as stream:
        begun = [event for event, _ in zip(stream, range(6), strict=False)]
    response_id, at = begun[0].response.id, begun[-1].sequence_number
    whole = caller.read(response_id)
    rest = caller.read(response_id, starting_after=at)
    assert at == 5
    assert [event.type for event in whole[: at + 1]] == [event.type for event in begun]
    assert (numbers_of(rest), text_of(rest)) == (numbers_of(whole[at + 1 :]), text_of(whole[at + 1 :]))
    assert rest[-1].type == "response.completed"


def check_one_created_without_stream_is_streamed_all_the_same(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    events = caller.read(ended.id)
    assert numbers_of(events) == list(range(len(events)))
    assert (events[0].type, events[-1].type) == ("response.created", "response.completed")
    assert text_of(events) == events[-1].response.output_text == ended.output_text


def check_a_tool_is_called(caller: Caller) -> None:
    (call,) = caller.create(**ASKING).output
    assert (call.type, call.name, call.arguments) == ("function_call", "get_weather", '{"city": "Rome"}')


def check_the_bound_on_output_makes_it_incomplete(caller: Caller) -> None:
    response = caller.create(max_output_tokens=2)
    assert (response.status, response.incomplete_details.reason) == ("incomplete", "max_output_tokens")
    assert_response(caller.raw(response.id), status="incomplete")


def check_a_running_one_is_cancelled(caller: Caller) -> None:
    response = caller.begin(**faulty("delay=30"))
    caller.reached(response.id, "in_progress")
    assert caller.client().responses.cancel(response.id).status == "cancelled"
    assert_response(caller.raw(response.id), status="cancelled")


def check_a_broken_upstream_is_a_server_error(caller: Caller) -> None:
    error = raised(InternalServerError, lambda: caller.create(**faulty("status=500"), **once()))
    assert error.status_code == 502, error.status_code
    assert error.code
    assert error.request.headers["x-stainless-retry-count"] == "0"


def check_a_refusing_upstream_is_a_bad_request(caller: Caller) -> None:
    fault = faulty("status=400;code=InvalidParameter")
    error = raised(BadRequestError, lambda: caller.create(**fault, **once()))
    assert (error.status_code, error.type) == (400, "invalid_request_error")


def check_a_background_one_that_fails_says_why(caller: Caller) -> None:
    ended = caller.ended(caller.begin(**faulty("status=500"), **once()).id)
    assert (ended.status, ended.output) == ("failed", [])
    assert ended.error.code
    assert ended.error.message
    assert_response(caller.raw(ended.id), status="failed")
    events = caller.read(ended.id)
    assert (events[-1].type, events[-1].response.error) == ("response.failed", ended.error)
