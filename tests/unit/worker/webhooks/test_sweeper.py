import logging

import pytest

from jobs import keys
from tests.fakes.post_office import PostOffice
from worker.webhooks.sweeper import DeliverySweeper


def sweep(office: PostOffice) -> None:
    """A sweep that is not held up by the one before, as if that had been just now."""
    office.client.delete(keys.DELIVERY_SWEEP)
    office.client.hset(keys.COUNTERS, "deliveries_swept", office.client.time()[0] * 1000)
    assert DeliverySweeper(office.senders).step() > 0


def test_a_dead_senders_deliveries_go_back_and_that_is_told(
    office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    office.end_job()
    (claim,) = office.take()
    office.kill("s1")
    with caplog.at_level(logging.WARNING):
        sweep(office)
    assert office.record(claim.number)["status"] == "retrying"
    assert "recovered 1 deliveries of dead senders" in caplog.text


def test_a_sweep_that_finds_nothing_says_nothing(office: PostOffice, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        sweep(office)
    assert caplog.text == ""


def test_who_sweeps_while_another_just_did_does_nothing(office: PostOffice) -> None:
    sweep(office)
    office.end_job()
    (claim,) = office.take()
    office.kill("s1")
    DeliverySweeper(office.senders).step()
    assert office.record(claim.number)["status"] == "sending"
