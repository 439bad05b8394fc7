from typing import Any

import pytest

from jobs.runs import MOST_TOKENS
from worker import closing
from worker.outcome import Problem, Responded
from worker.refusals import Kind


def responded(upstream: dict[str, Any]) -> Responded:
    return Responded(status="completed", upstream=upstream, raw=b"{}", http_status=200, request_id="r")


def problem(upstream: dict[str, Any]) -> Problem:
    return Problem(
        kind=Kind.TRANSIENT, code="c", message="m", delivery="answered", may_be_billed=True, upstream=upstream
    )


@pytest.mark.parametrize(("told", "kept"), [("resp_1", "resp_1"), ("x" * 1000, "x" * 256), (7, None), (None, None)])
def test_the_upstreams_own_id_is_kept_in_part_if_it_is_text(told: object, kept: str | None) -> None:
    assert closing.of_response(responded({"id": told}), usage=None).upstream_response_id == kept
    assert closing.of_problem(problem({"id": told}), "failed").upstream_response_id == kept


def test_a_problem_closes_with_what_it_was_and_what_it_took() -> None:
    found = closing.of_problem(problem({"usage": {"input_tokens": 3}}), "snoozed")
    assert (found.outcome, found.error) == ("snoozed", {"code": "c", "message": "m"})
    assert found.usage is not None
    assert found.usage["total_tokens"] == 3


def test_counts_beyond_belief_are_brought_down_at_every_level() -> None:
    usage = {"input_tokens": 10**300, "input_tokens_details": {"cached_tokens": 1e300}, "tier": "x", "total_tokens": 5}
    assert closing.believed(usage) == {
        "input_tokens": MOST_TOKENS, "input_tokens_details": {"cached_tokens": MOST_TOKENS}, "tier": "x",
        "total_tokens": 5,
    }  # fmt: skip
    assert closing.believed(None) is None
