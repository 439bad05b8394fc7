from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.base import Base
from schemas.event import ENDPOINT_EVENTS, JOB_EVENTS
from schemas.job import JobCreateSchema
from schemas.mistakes import flatten
from schemas.webhook import WebhookCreateSchema
from schemas.webhook_endpoint import WebhookEndpointChangeSchema, WebhookEndpointCreateSchema, WebhookTestSchema

URL = "https://example.com/hook"


def mistakes(schema: Base, body: Any) -> dict[str, str]:
    try:
        assert schema.load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("url", ("x", "x" * 2048), ("", "x" * 2049, None, 1)),
        ("secret", ("", "x" * 100), ("x" * 101, None, 1)),
        ("events", (None, list(JOB_EVENTS), JOB_EVENTS[:1] * 1), ([], ["response.completed"] * 2, ["x"], "x",
                                                                  ["webhook_endpoint.disabled"])),
        ("include", ("id", "response"), ("", None, "body")),
    ],
)  # fmt: skip
def test_each_setting_of_a_webhook_is_taken_at_its_bounds_and_refused_beyond(
    name: str, inside: tuple[Any, ...], outside: tuple[Any, ...]
) -> None:
    for value in inside:
        value = list(value) if isinstance(value, tuple) else value
        assert mistakes(WebhookCreateSchema(), {"url": URL, name: value}) == {}
    for value in outside:
        (path,) = mistakes(WebhookCreateSchema(), {"url": URL, name: value})
        assert path.startswith(name)


def test_a_webhook_names_its_url_and_nothing_unknown() -> None:
    assert mistakes(WebhookCreateSchema(), {"evnts": None}) == {
        "evnts": "unknown field; did you mean 'events'?",
        "url": "is required",
    }


def test_a_job_may_say_that_it_has_no_webhook() -> None:
    request = {"model": "glm-4.7", "input": "hi"}
    assert mistakes(JobCreateSchema(), {"request": request, "webhook": None}) == {}
    assert mistakes(JobCreateSchema(), {"request": request, "webhook": URL}) == {
        "webhook": "must be an object, got a string"
    }


@pytest.mark.parametrize("schema", [WebhookEndpointCreateSchema, WebhookEndpointChangeSchema])
def test_an_endpoint_may_want_any_event_and_describe_itself_in_a_line(schema: type[Base]) -> None:
    assert mistakes(schema(), {"url": URL, "events": list(ENDPOINT_EVENTS), "description": "d" * 200}) == {}
    assert mistakes(schema(), {"url": URL, "description": "d" * 201}).keys() == {"description"}
    assert mistakes(schema(), {"url": URL, "description": "a\nb"}).keys() == {"description"}
    assert mistakes(schema(), {"url": URL, "secret": "whsec_x"}).keys() == {"secret"}


def test_a_change_of_an_endpoint_names_what_it_changes() -> None:
    told = mistakes(WebhookEndpointChangeSchema(), {})
    assert told == {"": "must name at least one of url, events, include, description, status"}
    assert mistakes(WebhookEndpointChangeSchema(), {"status": "disabled"}) == {}
    assert mistakes(WebhookEndpointChangeSchema(), {"status": "gone"}).keys() == {"status"}


def test_a_test_is_of_a_type_that_an_endpoint_can_hear() -> None:
    assert all(mistakes(WebhookTestSchema(), {"type": kind}) == {} for kind in ENDPOINT_EVENTS)
    assert "did you mean 'response.failed'?" in mistakes(WebhookTestSchema(), {"type": "response.fail"})["type"]
