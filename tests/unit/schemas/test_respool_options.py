from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.job import asked_request, job_create_schema
from schemas.mistakes import flatten
from schemas.request import request_schema

ACCOUNTS = {"one": frozenset({"a"}), "two": None}
forwarding = request_schema(None, "forward", accounts=ACCOUNTS)


def mistakes(schema: Any, body: dict[str, Any]) -> dict[str, str]:
    try:
        assert schema.load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


def asked(**options: Any) -> dict[str, Any]:
    return {"model": "b", "input": "hi", "respool": options}


def test_an_option_is_judged_where_it_stands() -> None:
    assert mistakes(forwarding, asked(priority=9, account="two", webhook=None)) == {}
    assert list(mistakes(forwarding, asked(priority=10, webhook={"url": "x", "evnts": []}))) == [
        "respool.priority", "respool.webhook.evnts"
    ]  # fmt: skip


def test_an_unknown_option_is_refused_though_unknown_fields_are_forwarded() -> None:
    assert mistakes(forwarding, asked(prioritty=1) | {"brand_new": 1}) == {
        "respool.prioritty": "unknown field; did you mean 'priority'?"
    }


@pytest.mark.parametrize(("account", "said"), [("three", "unknown account"), ("one", '"one" does not serve "b"')])
def test_an_account_must_be_known_and_serve_the_model(account: str, said: str) -> None:
    (found,) = mistakes(forwarding, asked(account=account)).items()
    assert found[0] == "respool.account"
    assert found[1].startswith(said)
    assert mistakes(forwarding, asked(account="one") | {"model": "a"}) == {}


def test_a_job_takes_them_in_its_request_too() -> None:
    schema = job_create_schema(None, "refuse", accounts=ACCOUNTS)
    assert mistakes(schema, {"request": asked(priority=3), "max_attempts": 2}) == {}
    assert list(mistakes(schema, {"request": asked(account="one")})) == ["request.respool.account"]
    assert mistakes(asked_request(schema), asked(priority=3)) == {}
