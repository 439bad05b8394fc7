from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from marshmallow import INCLUDE, ValidationError
from marshmallow.exceptions import SCHEMA

from schemas.base import Base, Open
from schemas.fields import Boolean, Integer, Object, String
from schemas.mistakes import MAX_MISTAKES, flatten


class Inner(Base):
    size = Integer(required=True)


class Outer(Base):
    name = String(required=True)
    is_async = Boolean(data_key="async")
    inner = Object(Inner)
    left = Integer()
    right = Integer()

    def rules(self, data: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        if "left" in data and "right" in data:
            yield SCHEMA, "left and right exclude each other"
            yield "left", "is one too many"


def mistakes(body: Any, **options: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        Outer().load(body, **options)
    return [(m.path, m.message) for m in flatten(caught.value.messages)]


def test_a_document_comes_back_as_it_came() -> None:
    body = {"inner": {"size": 1}, "async": True, "name": "x"}
    assert Outer().load(body) is body
    assert list(body) == ["inner", "async", "name"]


def test_all_mistakes_are_told_in_the_order_of_the_document_and_missing_fields_last() -> None:
    assert mistakes({"nam": "x", "inner": {"sice": 2}, "async": "yes"}) == [
        ("nam", "unknown field; did you mean 'name'?"),
        ("inner.sice", "unknown field; did you mean 'size'?"),
        ("inner.size", "is required"),
        ("async", "must be true or false, got a string"),
        ("name", "is required"),
    ]


def test_the_name_on_the_wire_counts_not_the_one_in_the_code() -> None:
    assert mistakes({"name": "x", "is_async": True})[0][0] == "is_async"


def test_a_rule_speaks_unless_its_field_is_wrong_already() -> None:
    assert mistakes({"name": "x", "left": 1, "right": 2}) == [
        ("", "left and right exclude each other"),
        ("left", "is one too many"),
    ]
    assert mistakes({"name": "x", "left": "1", "right": 2}) == [
        ("left", "must be an integer, got a string"),
        ("", "left and right exclude each other"),
    ]


@pytest.mark.parametrize("body", [None, 1, "x", [], [{}], True])
def test_what_is_no_object_is_refused(body: Any) -> None:
    ((path, message),) = mistakes(body)
    assert path == ""
    assert message.startswith("must be an object, got ")


def test_unknown_fields_pass_at_every_depth_if_the_caller_says_so() -> None:
    body = {"name": "x", "new": 1, "inner": {"size": 1, "new": 2}}
    assert Outer().load(body, unknown=INCLUDE) is body
    assert Outer(unknown=INCLUDE).load(body) is body
    assert mistakes({"name": 1, "new": 1}, unknown=INCLUDE) == [("name", "must be a string, got 1")]


def test_an_open_document_keeps_what_it_does_not_know() -> None:
    body = {"anything": [1]}
    assert Open().load(body) is body


def test_a_flood_of_unknown_fields_is_cut_off() -> None:
    assert len(mistakes({f"naem{i}": i for i in range(100_000)})) == MAX_MISTAKES + 1


@pytest.mark.parametrize("options", [{"many": True}, {"partial": True}])
def test_documents_are_checked_one_by_one_and_whole(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Outer().load({"name": "x"}, **options)
