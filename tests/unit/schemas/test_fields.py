from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.bounds import Length
from schemas.fields import (
    Boolean,
    Checked,
    FreeObject,
    Integer,
    List,
    Number,
    Object,
    String,
    raise_mistakes,
)
from schemas.mistakes import MAX_MISTAKES
from schemas.options import ConversationSchema

samples: list[Any] = [
    None,
    True,
    False,
    0,
    1,
    2.0,
    2.5,
    float("nan"),
    float("inf"),
    10**400,
    "",
    "1",
    "yes",
    [],
    [1],
    {},
    {"a": 1},
]

taken = {
    String(): lambda v: isinstance(v, str),
    Boolean(): lambda v: v is True or v is False,
    Integer(): lambda v: type(v) is int,
    Number(): lambda v: type(v) is int or (v in (2.0, 2.5) and type(v) is float),
    FreeObject(): lambda v: isinstance(v, dict),
}


@pytest.mark.parametrize("field", taken, ids=lambda f: type(f).__name__)
@pytest.mark.parametrize("value", samples, ids=lambda v: repr(v)[:20])
def test_a_field_takes_its_own_json_type_unchanged_and_converts_nothing(field: Checked, value: Any) -> None:
    if taken[field](value):
        assert field.deserialize(value) is value
    else:
        with pytest.raises(ValidationError):
            field.deserialize(value)


def test_null_is_taken_only_where_it_is_allowed() -> None:
    assert String(allow_none=True).deserialize(None) is None
    with pytest.raises(ValidationError, match="must be a string, got null"):
        String().deserialize(None)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        (Number(), "1", "must be a number, got a string"),
        (Number(), True, "must be a number, got true"),
        (Integer(), 2.0, "must be an integer, got 2.0"),
        (Boolean(), 1, "must be true or false, got 1"),
        (Boolean(), "yes", "must be true or false, got a string"),
        (List(String()), {}, "must be a list, got an object"),
        (Object(ConversationSchema), [], "must be an object, got a list"),
    ],
)
def test_the_message_says_what_was_wanted_and_what_came(field: Checked, value: Any, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        field.deserialize(value)
    assert caught.value.messages == [message]


def test_mistakes_inside_lists_and_objects_stand_under_index_and_name() -> None:
    field = List(Object(ConversationSchema), validate=Length("entries", max=3))
    with pytest.raises(ValidationError) as caught:
        field.deserialize([{"id": "a"}, {"id": 1}, None])
    assert caught.value.messages == {
        1: {"id": ["must be a string, got 1"]},
        2: ["must be an object, got null"],
    }
    with pytest.raises(ValidationError, match="at most 3 entries"):
        field.deserialize([{"id": "a"}] * 4)


def test_checking_stops_where_no_more_mistakes_would_be_told() -> None:
    seen: list[int] = []

    def refuse(key: int, value: int) -> None:
        seen.append(key)
        raise ValidationError("no")

    with pytest.raises(ValidationError) as caught:
        raise_mistakes(enumerate(range(1_000)), refuse)
    assert len(seen) == len(caught.value.messages) == MAX_MISTAKES + 1
