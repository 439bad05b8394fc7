import json

import pytest

from jobs.batches.record import FIELDS, read_batch
from jobs.batches.runs import BatchEnd, _about
from jobs.webhooks.trial import trial_of

VALUES = {"project": b"p", "window": b"1", "created": b"1", "expires_at": b"1", "output_expires": b"1"}
OWN = {"test", "job_id", "project", "model", "metadata", "error", "usage"}


@pytest.mark.parametrize("kind", ["response.completed", "response.failed"])
def test_a_trial_has_the_shape_of_an_event_of_a_job_and_says_that_it_is_a_test(kind: str) -> None:
    trial = trial_of(kind, project="p", endpoint_id="we_1")
    own = json.loads(trial.own)
    assert own.keys() == OWN
    assert own["test"] is True
    assert own["job_id"].removeprefix("job_") == trial.about.removeprefix("resp_")
    assert (own["error"] is None) == (kind == "response.completed")


def test_a_trial_of_a_disabled_endpoint_is_about_that_endpoint() -> None:
    trial = trial_of("webhook_endpoint.disabled", project="p", endpoint_id="we_1")
    assert trial.about == "we_1"
    assert json.loads(trial.own) == {"test": True, "project": "p", "origin": None, "reason": "by_request"}


def test_a_trial_of_a_batch_has_the_shape_of_its_event() -> None:
    trial = trial_of("batch.completed", project="p", endpoint_id="we_1")
    own = json.loads(trial.own)
    ended = BatchEnd(status="completed")
    batch = read_batch("0" * 32, [VALUES.get(name, b"") for name in FIELDS])
    assert batch is not None
    assert own.keys() == {"test", *_about(batch, ended)}
    assert own["batch_id"] == trial.about


def test_each_trial_is_an_event_of_its_own() -> None:
    ids = {trial_of("response.completed", project="p", endpoint_id="we_1").id for _ in range(100)}
    assert len(ids) == 100
    assert all(event.startswith("evt_") and "." not in event for event in ids)
