from typing import Any

import pytest

from schemas.response_failure import complete_error, complete_incompleteness

nothing = "the response failed; the endpoint gave no reason"


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        ({"code": "invalid_prompt", "message": "a"}, {"code": "invalid_prompt", "message": "a"}),
        ({"code": "expired", "message": "a"}, {"code": "server_error", "message": "a", "respool": {"code": "expired"}}),
        ({"code": 500, "message": ""}, {"code": "server_error", "message": nothing, "respool": {"code": "500"}}),
        ({"message": 1, "param": 2, "x": 3}, {"code": "server_error", "message": nothing, "x": 3}),
        ("boom", {"code": "server_error", "message": "boom"}),
        (None, {"code": "server_error", "message": nothing}),
    ],
)
def test_an_error_has_a_code_of_the_protocol_and_a_message(told: Any, whole: dict[str, Any]) -> None:
    assert complete_error(told) == whole


@pytest.mark.parametrize("code", ["RateLimitExceeded.EndpointRPMExceeded", "AccountRateLimitExceeded", "rate_limit"])
def test_a_limit_by_another_name_is_a_limit(code: str) -> None:
    assert complete_error({"code": code, "message": "a"})["code"] == "rate_limit_exceeded"


@pytest.mark.parametrize(
    ("told", "whole"),
    [
        ({"reason": "content_filter", "x": 1}, {"reason": "content_filter", "x": 1}),
        ({"reason": "length"}, {"reason": "max_output_tokens", "respool": {"reason": "length"}}),
        (
            {"reason": "ContentFilter_sensitive"},
            {"reason": "content_filter", "respool": {"reason": "ContentFilter_sensitive"}},
        ),
        ({"reason": 5}, {"reason": "max_output_tokens"}),
        ("x", {"reason": "max_output_tokens"}),
        (None, {"reason": "max_output_tokens"}),
    ],
)
def test_an_early_end_has_a_reason_of_the_protocol(told: Any, whole: dict[str, Any]) -> None:
    assert complete_incompleteness(told) == whole
