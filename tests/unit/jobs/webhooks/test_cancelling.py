"""Cancelling what an endpoint is owed."""

from typing import Any

import pytest

from jobs import keys, scripts
from jobs.webhooks.cancelling import cancel_owed
from tests.fakes.post_office import PostOffice


@pytest.mark.parametrize("piece", [1, 2, 500])
def test_all_that_waits_is_cancelled_and_what_is_being_sent_is_not(
    office: PostOffice, monkeypatch: pytest.MonkeyPatch, piece: int
) -> None:
    monkeypatch.setattr("jobs.webhooks.cancelling.PIECE", piece)
    office.register("we_1")
    for _ in range(7):
        office.end_job(None)
    sent = {claim.number for claim in office.take()}
    office.client.hset(keys.webhook_endpoint("we_1"), "status", "disabled")
    calls: list[Any] = []

    def run(call: scripts.Call) -> Any:
        calls.append(call)
        return scripts.run(office.client, call)

    cancel_owed(run, "we_1")
    assert office.listed()["open"] == sent
    assert len(office.listed()["dead"]) == 3
    assert len(calls) <= 7 // piece + 2


def test_an_enabled_endpoint_keeps_what_it_is_owed(office: PostOffice) -> None:
    office.register("we_1")
    office.end_job(None)
    cancel_owed(lambda call: scripts.run(office.client, call), "we_1")
    assert office.listed().keys() == {"open"}
