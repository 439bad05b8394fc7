from dataclasses import replace
from typing import Any

import pytest

from jobs.closings import MOST_TOKENS
from jobs.prices import Price
from schemas.usage import complete_usage
from worker import closing
from worker.outcome import Problem, Responded
from worker.refusals import Kind

PRICE = Price(input=2.0, cached=1.0, output=3.0)


def responded(upstream: dict[str, Any]) -> Responded:
    return Responded(status="completed", upstream=upstream, raw=b"{}", http_status=200, request_id="r")


def problem(upstream: dict[str, Any]) -> Problem:
    return Problem(
        kind=Kind.TRANSIENT, code="c", message="m", delivery="answered", may_be_billed=True, upstream=upstream
    )


@pytest.mark.parametrize(("told", "kept"), [("resp_1", "resp_1"), ("x" * 1000, "x" * 256), (7, None), (None, None)])
def test_the_upstreams_own_id_is_kept_in_part_if_it_is_text(told: object, kept: str | None) -> None:
    assert closing.of_response(responded({"id": told}), usage=None, price=None).upstream_response_id == kept
    assert closing.of_problem(problem({"id": told}), "failed", price=None).upstream_response_id == kept


def test_a_problem_closes_with_what_it_was_and_what_it_took() -> None:
    found = closing.of_problem(problem({"usage": {"input_tokens": 3}}), "snoozed", price=PRICE)
    assert (found.outcome, found.error) == ("snoozed", {"code": "c", "message": "m"})
    assert found.usage is not None
    assert found.usage["total_tokens"] == 3
    assert found.nano == 6000


def test_what_a_response_took_is_priced() -> None:
    usage = complete_usage({"input_tokens": 10, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 4}})
    found = responded({})
    assert closing.of_response(found, usage=usage, price=PRICE).nano == 6 * 2000 + 4 * 1000 + 5 * 3000
    assert closing.of_response(found, usage=usage, price=None).nano == 0
    assert closing.of_response(found, usage=None, price=PRICE).nano == 0


def test_counts_beyond_belief_are_brought_down_at_every_level() -> None:
    usage = {"input_tokens": 10**300, "input_tokens_details": {"cached_tokens": 1e300}, "tier": "x", "total_tokens": 5}
    assert closing.believed(usage) == {
        "input_tokens": MOST_TOKENS, "input_tokens_details": {"cached_tokens": MOST_TOKENS}, "tier": "x",
        "total_tokens": 5,
    }  # fmt: skip
    assert closing.believed(None) is None


@pytest.mark.parametrize("kind", Kind)
def test_the_class_of_a_problem_goes_with_its_attempt(kind: Kind) -> None:
    assert closing.of_problem(replace(problem({}), kind=kind), "failed", price=None).kind == kind.value


def test_what_was_answered_has_no_class_and_what_was_never_sent_has_its_own() -> None:
    assert closing.of_response(responded({}), usage=None, price=None).kind is None
    assert closing.unsent().kind == "unsent"
