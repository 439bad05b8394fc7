import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import Response
from openresponses_types.types import ResponseResource

from schemas.echo import ECHOES
from schemas.job import STATUSES
from schemas.response import complete
from schemas.response_document import ResponseSchema
from schemas.response_extras import EXTRAS

page_response = {
    "id": "resp_021774236829912",
    "object": "response",
    "created_at": 123,
    "completed_at": 123,
    "model": "doubao-seed-1-6-251015",
    "status": "completed",
    "output": [
        {
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [
                {"type": "output_text", "text": "The image contains 3 models: Doubao-Seed-1.8, DeepSeek-V3.2, GLM-4.7."}
            ],
        }
    ],
    "usage": {
        "input_tokens": 1355,
        "output_tokens": 87,
        "total_tokens": 1442,
        "output_tokens_details": {"reasoning_tokens": 53},
    },
}


def completed(upstream: Any, *, status: str = "completed", request: Any = None, **more: Any) -> dict[str, Any]:
    return complete(
        upstream,
        response_id="resp_X",
        status=status,
        created_at=10.75,
        completed_at=12.5,
        request={"model": "glm-4.7"} if request is None else request,
        **more,
    )


def assert_valid(response: dict[str, Any]) -> None:
    """Every strict reader takes it, and it can be written as JSON."""
    json.dumps(response, allow_nan=False)
    Response.model_validate(response, strict=True)
    ResponseResource.model_validate(response)
    assert ResponseSchema().load(response) is response


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("upstream", [{}, page_response], ids=["nothing yet", "the page's answer"])
def test_a_response_is_valid_in_every_status(status: str, upstream: Any, page_request: dict[str, Any]) -> None:
    del page_request["input"]
    before = copy.deepcopy((upstream, page_request))
    response = completed(upstream, status=status, request=page_request)
    assert_valid(response)
    assert (upstream, page_request) == before
    assert response == completed(upstream, status=status, request=page_request)


def test_the_answer_of_the_page_is_handed_out_under_our_id(page_request: dict[str, Any]) -> None:
    response = completed(page_response, request=page_request)
    assert response["id"] == "resp_X"
    assert (response["created_at"], response["completed_at"]) == (10, 12)
    assert response["output"][0]["id"] == "msg_X_0"
    assert response["output"][0]["content"][0]["text"].startswith("The image contains 3 models")
    assert (response["temperature"], response["top_p"], response["max_output_tokens"]) == (1, 0.5, 2)
    assert response["usage"]["total_tokens"] == 1442
    assert response["respool"] == {"request": {"reasoning": {"effort": "minimal"}}}
    assert Response.model_validate(response).output_text.startswith("The image")


def test_all_fields_of_the_protocol_are_there_from_the_start() -> None:
    response = completed({}, status="queued")
    assert set(response) == set(ResponseSchema().fields)
    assert len(response) == 31
    assert (response["status"], response["output"], response["usage"], response["error"]) == ("queued", [], None, None)
    assert response["background"] is response["store"] is True


def test_only_a_completed_response_has_a_time_of_completion() -> None:
    times = {status: completed({}, status=status)["completed_at"] for status in STATUSES}
    assert times == dict.fromkeys(STATUSES) | {"completed": 12}


def test_a_failed_response_has_an_error_and_ours_goes_before_the_endpoints() -> None:
    theirs = {"error": {"code": "invalid_prompt", "message": "theirs"}}
    ours = {"code": "failed_to_download_image", "message": "ours"}
    assert completed(theirs, status="failed")["error"]["message"] == "theirs"
    assert completed(theirs, status="failed", error=ours)["error"] == ours
    assert completed({}, status="failed")["error"]["code"] == "server_error"
    assert completed(theirs, status="completed")["error"] is None


def test_only_an_incomplete_response_tells_why() -> None:
    upstream = {"incomplete_details": {"reason": "content_filter"}}
    assert completed(upstream, status="incomplete")["incomplete_details"] == {"reason": "content_filter"}
    assert completed({}, status="incomplete")["incomplete_details"] == {"reason": "max_output_tokens"}
    assert completed(upstream, status="completed")["incomplete_details"] is None


def test_fields_of_the_endpoint_are_kept_and_those_that_clash_stand_apart() -> None:
    upstream = {"thinking": {"type": "auto"}, "expire_at": 5, "tool_usage": {"web_search": 2}, "user": "u"}
    response = completed(upstream | {"respool": {"a": 1}})
    assert (response["thinking"], response["expire_at"], response["user"]) == ({"type": "auto"}, 5, "u")
    assert "tool_usage" not in response
    assert response["respool"] == {"a": 1, "upstream": {"tool_usage": {"web_search": 2}}}
    assert_valid(response)


def test_items_and_parts_of_unknown_types_are_kept_and_the_sdk_reads_on() -> None:
    message = {"type": "message", "content": [{"type": "output_smell"}, {"type": "output_text", "text": "hi"}]}
    response = completed({"output": [{"type": "acme:thing"}, message]})
    assert [item["type"] for item in response["output"]] == ["acme:thing", "message"]
    assert Response.construct(**response).output_text == "hi"


@pytest.mark.parametrize(
    "request_fields",
    [
        {"instructions": [{"role": "system", "content": "a"}]},
        {"tools": [{"type": "web_search"}, {"type": "function", "name": "f"}], "tool_choice": {"type": "web_search"}},
        {"tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]}},
        {
            "reasoning": {"effort": "max", "summary": "auto"},
            "metadata": {"a": "b"},
            "background": False,
            "store": False,
        },
        {
            "text": {"format": {"type": "json_object"}, "verbosity": "high"},
            "truncation": "auto",
            "service_tier": "fast",
        },
        {
            "temperature": None,
            "tools": None,
            "text": {"format": None},
            "reasoning": {},
            "prompt_cache_retention": "24h",
        },
    ],
)
@pytest.mark.parametrize("status", ["queued", "completed"])
def test_whatever_was_asked_the_response_is_valid(request_fields: dict[str, Any], status: str) -> None:
    assert_valid(completed({}, status=status, request={"model": "m", **request_fields}))


def test_a_wanted_json_schema_is_repeated_for_those_who_can_read_it() -> None:
    text = {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}}
    response = completed({}, request={"model": "m", "text": text})
    assert response["text"] == text
    Response.model_validate(response, strict=True)


junk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["completed", "minimal"]),
    lambda below: (
        st.lists(below, max_size=3)
        | st.dictionaries(st.sampled_from(["type", "text", "effort", "id", "x"]), below, max_size=3)
    ),
    max_leaves=6,
)
known_types = {
    "message": ["role", "content", "status", "phase", "id"],
    "reasoning": ["summary", "content", "encrypted_content", "status", "id"],
    "function_call": ["call_id", "name", "arguments", "status", "caller", "namespace", "async", "created_by"],
    "function_call_output": ["call_id", "output", "status", "caller", "name"],
    "compaction": ["encrypted_content", "created_by", "id"],
}
parts = st.one_of(
    st.text(max_size=3),
    st.none(),
    st.integers(),
    st.fixed_dictionaries(
        {"type": st.sampled_from(["output_text", "text", "refusal"])},
        optional={
            "text": junk,
            "refusal": junk,
            "annotations": st.lists(
                st.none()
                | st.fixed_dictionaries(
                    {"type": st.just("url_citation")}, optional={"url": junk, "title": junk, "start_index": junk}
                )
            ),
            "logprobs": st.lists(
                st.none()
                | st.fixed_dictionaries(
                    {}, optional={"token": junk, "logprob": junk, "bytes": junk, "top_logprobs": st.lists(junk)}
                )
            ),
        },
    ),
)
items = st.one_of(
    st.none(),
    st.integers(),
    st.lists(st.none()),
    *(
        st.fixed_dictionaries(
            {"type": st.just(name)},
            optional={field: st.lists(parts) if field == "content" else junk for field in fields},
        )
        for name, fields in known_types.items()
    ),
)
set_by_us = ["usage", "error", "incomplete_details", "status", "id", "object", "created_at", "store", "respool"]
top_fields = dict.fromkeys([*ECHOES, *EXTRAS, *set_by_us], junk)
upstreams = st.fixed_dictionaries({}, optional={**top_fields, "output": st.lists(items) | st.none() | st.text()})


def without_numbers_that_json_lacks(value: Any) -> Any:
    """An upstream answer as its text can say it."""
    return json.loads(json.dumps(value), parse_constant=lambda _: None)


@given(upstreams, st.sampled_from(STATUSES))
@settings(max_examples=400)
def test_whatever_the_endpoint_sends_the_response_is_valid(upstream: dict[str, Any], status: str) -> None:
    upstream = without_numbers_that_json_lacks(upstream)
    response = completed(upstream, status=status)
    assert_valid(response)
    again = completed(response, status=status)
    assert {**again, "respool": None} == {**response, "respool": None}


@given(st.dictionaries(st.sampled_from([*top_fields, "output", "x"]), junk, max_size=8), st.sampled_from(STATUSES))
@settings(max_examples=300)
def test_nothing_the_endpoint_sends_breaks_the_reading(upstream: dict[str, Any], status: str) -> None:
    response = completed(upstream, status=status, request=upstream, error=None)
    assert isinstance(response["output"], list)
    assert set(ResponseSchema().fields) <= set(response)
