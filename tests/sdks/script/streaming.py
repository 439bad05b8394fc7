"""All ways to follow a response."""

import threading
from typing import Any

from openai import BadRequestError
from pydantic import BaseModel

from tests.sdks.script.caller import Caller, faulty, numbers_of, once, options, raised, text_of
from tests.sdks.script.core import ASKING
from tests.sdks.script.validity import assert_event

SLOWLY = faulty("pace=0.05")


class Weather(BaseModel):
    city: str


def check_deltas_come_while_the_answer_is_made(caller: Caller) -> None:
    with caller.create(stream=True, **faulty("pace=0.2")) as stream:
        response_id = next(iter(stream)).response.id
        assert next(event for event in stream if event.type == "response.output_text.delta").delta
        assert caller.retrieve(response_id).status == "in_progress"


def check_a_stream_is_framed_as_readers_of_all_kinds_take_it(caller: Caller) -> None:
    with caller.raw_lines() as lines:
        frames = "\n".join(lines).strip().split("\n\n")
    assert frames.pop() == "data: [DONE]"
    for frame in frames:
        name, data = frame.split("\n")
        assert name.startswith("event: "), name
        assert data.startswith(f'data: {{"type":"{name.removeprefix("event: ")}"'), frame


def check_it_resumes_after_any_event(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    whole = caller.read(ended.id)
    for number in numbers_of(whole):
        rest = caller.read(ended.id, starting_after=number)
        assert rest == whole[number + 1 :], f"after {number}: {rest} in place of {whole[number + 1 :]}"


def check_nothing_comes_after_the_end(caller: Caller) -> None:
    ended = caller.ended(caller.begin(stream=False).id)
    last = caller.read(ended.id)[-1].sequence_number
    assert caller.read(ended.id, starting_after=last) == caller.read(ended.id, starting_after=last + 1000) == []


def check_two_readers_of_one_that_runs_see_the_same(caller: Caller) -> None:
    with caller.begin(stream=True, **SLOWLY) as stream:
        response_id = next(iter(stream)).response.id
        seen: list[list[Any]] = [[], []]
        readers = [threading.Thread(target=lambda at: at.extend(caller.read(response_id)), args=(at,)) for at in seen]
        for reader in readers:
            reader.start()
        rest = list(stream)
        for reader in readers:
            reader.join()
    assert seen[0][-1].type == "response.completed"
    assert numbers_of(seen[0]) == numbers_of(seen[1]) == [0, *numbers_of(rest)]
    assert text_of(seen[0]) == text_of(seen[1]) == text_of(rest) == rest[-1].response.output_text


def check_a_reader_that_left_goes_on_where_it_was(caller: Caller) -> None:
    with caller.begin(stream=True, **SLOWLY) as stream:
        begun = [event for event, _ in zip(stream, range(8), strict=False)]
    rest = caller.read(begun[0].response.id, starting_after=begun[-1].sequence_number)
    assert numbers_of(rest)[0] == begun[-1].sequence_number + 1
    assert text_of([*begun, *rest]) == rest[-1].response.output_text


def check_the_helper_creates_and_gathers(caller: Caller) -> None:
    with caller.client().responses.stream(model=caller.model, input="hello") as stream:
        texts = [event.snapshot for event in stream if event.type == "response.output_text.delta"]
        final = stream.get_final_response()
    assert texts[-1] == final.output_text
    assert final.status == "completed"


def check_the_helper_parses(caller: Caller) -> None:
    with caller.client().responses.stream(model=caller.model, input="In Rome?", text_format=Weather) as stream:
        assert isinstance(stream.get_final_response().output_parsed, Weather)


def check_the_helper_reads_one_by_its_id(caller: Caller) -> None:
    ended = caller.ended(caller.begin().id)
    with caller.client().responses.stream(response_id=ended.id) as stream:
        whole = list(stream)
    with caller.client().responses.stream(response_id=ended.id, starting_after=6) as stream:
        rest = list(stream)
    assert numbers_of(rest) == numbers_of(whole)[7:]
    assert whole[-1].response.output_text == rest[-1].response.output_text == ended.output_text


def check_the_helper_gathers_a_call_of_a_tool(caller: Caller) -> None:
    with caller.client().responses.stream(model=caller.model, **ASKING) as stream:
        arguments = [event.snapshot for event in stream if event.type == "response.function_call_arguments.delta"]
        (call,) = stream.get_final_response().output
    assert (call.name, call.arguments, arguments[-1]) == ("get_weather", '{"city": "Rome"}', '{"city": "Rome"}')


def check_one_that_is_cancelled_ends_its_readers(caller: Caller) -> None:
    with caller.begin(stream=True, **faulty("hang")) as stream:
        response_id = next(iter(stream)).response.id
        caller.client().responses.cancel(response_id)
        last = list(stream)[-1]
    assert (last.type, last.response["status"]) == ("response.cancelled", "cancelled")


def check_one_that_fails_ends_with_an_error_and_its_response(caller: Caller) -> None:
    for fault in ("status=500", "stream=error_event"):
        events = caller.raw_events(**faulty(fault), **once())
        for event in events:
            assert_event(event)
        told, failed = events[-2:]
        assert (told["type"], failed["type"]) == ("error", "response.failed"), fault
        error = failed["response"]["error"]
        assert (told["message"], told["code"]) == (error["message"], error["respool"]["code"]), fault


def check_one_that_is_refused_is_no_stream(caller: Caller) -> None:
    error = raised(BadRequestError, lambda: caller.create(stream=True, top_p=2))
    assert error.param == "top_p"


def check_a_repeated_attempt_is_told_and_never_mixed(caller: Caller) -> None:
    events = caller.raw_events(**faulty("cut=middle;pace=0.03;times=1"), **options(max_attempts=3, on_unknown="retry"))
    kinds = [event["type"] for event in events]
    assert kinds.count("respool:attempt.restarted") == 1
    after = events[kinds.index("respool:attempt.restarted") :]
    deltas = [event["delta"] for event in after if event["type"] == "response.output_text.delta"]
    (message,) = events[-1]["response"]["output"]
    assert "".join(deltas) == message["content"][0]["text"]
    for event in events:
        assert_event(event)
