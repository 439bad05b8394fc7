"""What a conformance client of Open Responses finds."""

from tests.fakes.drop_in import KEY, REASONER, DropIn
from tests.fakes.sdks import run_conformance

NOT_OFFERED = {"compact-response"}
"""Passed by a 404, which the client warns of: conversations are not compacted here."""


def test_the_service_conforms_to_open_responses(drop_in: DropIn) -> None:
    results = run_conformance(drop_in.base_url, api_key=KEY, model=REASONER)
    assert {name: result for name, result in results.items() if result["status"] != "passed"} == {}
    assert {name for name, result in results.items() if result.get("warnings")} == NOT_OFFERED
    assert {"tool-calling", "multi-turn", "image-input", "streaming-response", "reasoning-summary"} <= set(results)
