"""Responses asked for as events: which requests are streams, of what, and what becomes of the job."""

from jobs import keys
from tests.fakes.bench import Bench
from tests.unit.api.conftest import Caller, error_of
from tests.unit.api.responses import begun, create, ended, finish, start


def kinds(text: str) -> list[str]:
    """The types of a stream's events."""
    return [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]


def test_stream_makes_a_create_an_answer_of_events_with_the_id_in_its_head(alice: Caller, bench: Bench) -> None:
    for background in (True, None):
        answer = create(alice, stream=True, background=background)
        claim = start(bench)
        finish(bench, claim)
        assert answer.mimetype == "text/event-stream"
        assert answer.headers["x-respool-response-id"] == f"resp_{claim.number}"
        assert answer.headers["Location"].endswith(f"/v1/responses/resp_{claim.number}")
        found = kinds(answer.text)
        assert (found[0], found[-1]) == ("response.created", "response.completed")


def test_a_response_can_be_streamed_from_its_beginning_or_from_a_number_on(alice: Caller, bench: Bench) -> None:
    path = f"/v1/responses/{ended(alice, bench)['id']}?stream=true&include_obfuscation=false"
    whole = kinds(alice.get(path).text)
    assert whole[0] == "response.created"
    assert kinds(alice.get(f"{path}&starting_after=2").text) == whole[3:]


def test_a_request_that_is_refused_is_no_stream(alice: Caller) -> None:
    refused = create(alice, stream=True, top_p=2)
    assert (refused.status_code, error_of(refused)["param"]) == (400, "top_p")


def test_a_stream_of_what_is_not_to_be_stored_is_the_last_of_it(alice: Caller, bench: Bench) -> None:
    answer = create(alice, stream=True, background=None, store=False)
    claim = start(bench)
    finish(bench, claim)
    assert kinds(answer.text)[-1] == "response.completed"
    answer.close()
    assert not bench.client.exists(keys.job(claim.number))


def test_a_stream_that_is_left_before_its_end_leaves_the_job(alice: Caller, bench: Bench) -> None:
    create(alice, stream=True, background=None, store=False).close()
    claim = start(bench)
    finish(bench, claim)
    assert alice.get(f"/v1/responses/resp_{claim.number}").json["status"] == "completed"


def test_another_project_cannot_follow(alice: Caller, bob: Caller) -> None:
    assert bob.get(f"/v1/responses/{begun(alice)['id']}?stream=true").status_code == 404
