import json

import pytest

from api.told_items import MOST_CLOSED, ToldItems
from schemas.stream_event import ADDED, DONE

DELTA = "response.output_text.delta"


def event(kind: str, index: object = 0, name: str = "msg_1") -> bytes:
    item = {} if kind == DELTA else {"item": {"id": name, "type": "message"}}
    return json.dumps({"type": kind, "output_index": index, **item}).encode()


def begin(told: ToldItems, count: int) -> None:
    for index in range(count):
        told.placed(ADDED, event(ADDED, index, f"msg_{index}"))


def test_events_stay_as_they_are_until_something_is_void() -> None:
    told = ToldItems()
    assert [told.placed(kind, event(kind)) for kind in (ADDED, DELTA, DONE)] == [
        event(ADDED),
        event(DELTA),
        event(DONE),
    ]


def test_a_restart_before_any_item_moves_nothing() -> None:
    told = ToldItems()
    told.restart()
    assert told.placed(ADDED, event(ADDED)) == event(ADDED)


def test_each_restart_moves_what_follows_behind_all_that_was_told() -> None:
    told = ToldItems()
    for place in (0, 2, 4):
        told.restart()
        begin(told, 2)
        assert json.loads(told.placed(DELTA, event(DELTA, 1)))["output_index"] == place + 1


@pytest.mark.parametrize("index", [None, "1", [0]])
def test_an_event_without_a_place_stays_as_it_is(index: object) -> None:
    told = ToldItems()
    begin(told, 1)
    told.restart()
    assert told.placed(DELTA, event(DELTA, index)) == event(DELTA, index)


def test_void_items_are_closed_unless_they_ended_or_are_part_of_the_answer() -> None:
    told = ToldItems()
    begin(told, 3)
    told.placed(DONE, event(DONE, 1))
    told.restart()
    (closed,) = told.closing([{"id": "msg_2"}])
    assert (closed["type"], closed["output_index"]) == (DONE, 0)
    assert (closed["item"]["id"], closed["item"]["status"]) == ("msg_0", "incomplete")


def test_no_more_are_closed_than_there_are_numbers_for() -> None:
    told = ToldItems()
    begin(told, MOST_CLOSED + 3)
    assert len(list(told.closing([]))) == MOST_CLOSED
