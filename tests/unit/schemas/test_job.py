from typing import Any

import pytest
from marshmallow import ValidationError

from schemas.job import STATUSES, TERMINAL, JobListSchema, JobSchema, PolledJobSchema, job_create_schema
from schemas.mistakes import flatten
from schemas.request import DEFAULT_MODELS
from schemas.response import complete

refusing = job_create_schema(frozenset(DEFAULT_MODELS), "refuse")
request = {"model": "glm-4.7", "input": "hi"}


def mistakes(body: Any) -> dict[str, str]:
    try:
        assert refusing.load(body) is body
    except ValidationError as error:
        return {m.path: m.message for m in flatten(error.messages)}
    return {}


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("max_attempts", (1, 100), (0, 101, 1.0, "1", True, None)),
        ("on_unknown", ("retry", "fail"), ("ignore", 1, None)),
        ("queue_deadline_seconds", (0.001, 30 * 86400), (0, -1, 30 * 86400 + 0.1, "1", None)),
        ("run_timeout_seconds", (0.5, 86400), (0, 86400.1, True, None)),
        ("video_seconds", (0.1, 86400, [1], [0.5] * 100), (0, 86400.1, "1", None, [], [1] * 101, [0], [86401], [None])),
        ("estimated_tokens", (1, 10_000_000), (0, 10_000_001, 1.5, "1", None)),
        ("priority", (0, 9), (-1, 10, 5.0, "5", True, None)),
        ("account", ("any",), (1, None, [])),
        ("metadata", (None, {}, {"a": "b"}), ({"a": 1}, [], {"k" * 65: ""}, {str(i): "" for i in range(17)})),
    ],
)
def test_each_setting_is_taken_at_its_bounds_and_refused_beyond(name: str, inside: Any, outside: Any) -> None:
    for value in inside:
        assert mistakes({"request": request, name: value}) == {}
    for value in outside:
        (path,) = mistakes({"request": request, name: value})
        assert path.startswith(name)


def test_bounds_are_named() -> None:
    assert mistakes({"request": request, "run_timeout_seconds": 0}) == {
        "run_timeout_seconds": "must be greater than 0 and at most 86400, got 0"
    }


def test_mistakes_of_the_request_stand_under_it_beside_those_of_the_job() -> None:
    part = {"type": "input_video", "video_url": "https://h/v", "fps": -1}
    body = {
        "request": {"model": "gpt", "input": [{"role": "user", "content": [part]}]},
        "max_atempts": 3,
    }
    found = mistakes(body)
    assert list(found) == ["request.model", "request.input[0].content[0].fps", "max_atempts"]
    assert found["max_atempts"] == "unknown field; did you mean 'max_attempts'?"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, {"request": "is required"}),
        ({"request": None}, {"request": "must be an object, got null"}),
        ({"request": []}, {"request": "must be an object, got a list"}),
        (None, {"": "must be an object, got null"}),
        ([], {"": "must be an object, got a list"}),
    ],
)
def test_a_job_is_nothing_without_a_request(body: Any, told: dict[str, str]) -> None:
    assert mistakes(body) == told


def test_unknown_fields_are_forwarded_in_the_request_alone_for_a_job_goes_to_nobody_else() -> None:
    forwarding = job_create_schema(None, "forward")
    body = {"request": {"model": "any", "input": "hi", "new": 1, "reasoning": {"new": 2}}}
    assert forwarding.load(body) is body
    with pytest.raises(ValidationError) as caught:
        forwarding.load({**body, "max_atempts": 2})
    assert caught.value.messages == {"max_atempts": ["unknown field; did you mean 'max_attempts'?"]}


ACCOUNTS = {"one": frozenset({"glm-4.7"}), "two": frozenset({"other"}), "any": None}


@pytest.mark.parametrize(
    ("account", "message"),
    [
        ("one", None),
        ("any", None),
        ("two", '"two" does not serve "glm-4.7" (one, any would)'),
        ("anny", "unknown account \"anny\"; did you mean 'any'? (one of these 3: one, two, any)"),
    ],
)
def test_a_job_is_pinned_to_an_account_that_is_known_and_serves_its_model(account: str, message: str | None) -> None:
    schema = job_create_schema(None, "refuse", accounts=ACCOUNTS)
    try:
        schema.load({"request": request, "account": account})
        found = None
    except ValidationError as error:
        found = error.messages
    assert found == (None if message is None else {"account": [message]})


@pytest.mark.parametrize(
    "body", [{"account": "two", "request": []}, {"account": "two"}, {"account": {}, "request": request}]
)
def test_a_pinned_account_is_no_trouble_where_something_else_is_wrong(body: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        job_create_schema(None, "refuse", accounts=ACCOUNTS).load(body)


def test_a_job_that_was_handed_out_fits_its_description() -> None:
    job = {
        "id": "job_1",
        "object": "job",
        "status": "failed",
        "created_at": 1.5,
        "started_at": 2,
        "finished_at": 3.25,
        "expires_at": 700000,
        "model": "glm-4.7",
        "project": "default",
        "api_key": "key_1",
        "attempts": [
            {
                "number": 1,
                "started_at": 2,
                "finished_at": None,
                "worker": "w1",
                "account": "default",
                "series": 1,
                "outcome": "running",
                "upstream_request_id": None,
                "upstream_response_id": None,
                "http_status": 500,
                "may_be_billed": True,
                "delivery": "answered",
                "usage": None,
                "error": {"code": "server_error", "message": "x"},
            }
        ],
        "attempts_spent": 1,
        "max_attempts": 5,
        "on_unknown": "retry",
        "queue_deadline_seconds": None,
        "run_timeout_seconds": 3600,
        "priority": 5,
        "account": "default",
        "waiting_reason": None,
        "position": None,
        "jobs_ahead": None,
        "eta": None,
        "estimated_tokens": 1200,
        "cost": None,
        "currency": "USD",
        "usage": None,
        "response": complete(
            {}, response_id="resp_1", status="failed", created_at=1.5, completed_at=None, request={"model": "glm-4.7"}
        ),
        "error": {"code": "expired", "message": "x", "retryable": False},
        "webhook": {"url": "https://h/", "events": None, "include": "id", "has_secret": True},
        "metadata": {},
    }
    assert JobSchema().load(job) is job
    for sent in ("not JSON", {"instructions": [{"odd": 1}]}, None):
        polled = job | {"response": sent}
        assert PolledJobSchema().load(polled) is polled
    page = {"object": "list", "data": [job], "first_id": "job_1", "last_id": "job_1", "has_more": False, "left_out": []}
    assert JobListSchema().load(page) is page


def test_the_statuses_that_last_are_statuses() -> None:
    assert set(STATUSES) >= TERMINAL
    assert set(STATUSES) - TERMINAL == {"queued", "in_progress"}
