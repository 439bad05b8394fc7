from flask import Flask
from openresponses_types.types import ResponseResource

from api.response_creation import shown
from api.services import EXTENSION
from jobs.accepted import as_accepted
from tests.fakes.bench import Bench
from tests.unit.api.conftest import Caller
from tests.unit.api.responses import begun, finish, number_of, start


def test_who_begins_a_response_is_shown_a_queued_one_however_quick_a_worker_was(
    app: Flask, alice: Caller, bench: Bench
) -> None:
    first = begun(alice, metadata={"a": "b"})
    finish(bench, start(bench))
    job = app.extensions[EXTENSION].store.get(number_of(first), project=None)
    with app.test_request_context():
        answer = shown(as_accepted(job))
    found = answer.json or {}
    ResponseResource.model_validate(found)
    assert (job.status, found["status"], found["output"], found["completed_at"]) == ("completed", "queued", [], None)
    changing = {"waiting_reason", "position", "jobs_ahead", "eta"}
    assert {name for name in first["respool"] if found["respool"][name] != first["respool"][name]} <= changing
    assert {**found, "respool": {}} == {**first, "respool": {}}
    assert "openai-poll-after-ms" in answer.headers
