"""A job's end, its event and the deliveries that it owes are one step."""

import json
from dataclasses import replace

import pytest

from jobs import keys
from jobs.closings import End
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE, answered
from tests.fakes.post_office import HOOK, PostOffice


def test_every_end_of_a_job_is_an_event_of_its_project(office: PostOffice) -> None:
    bench = office.bench
    done, failed = bench.run_all(2)
    bench.runs().finish(done, COMPLETED, ANSWERED)
    bench.runs().finish(failed, FAILURE, FAILED)
    cut = bench.run_all(1)[0]
    bench.runs().finish(cut, End(status="incomplete", response=b"{}"), ANSWERED)
    office.end_job()
    late = bench.submit(queue_deadline_seconds=1.0)
    bench.make_due("deadlines")
    bench.sweep()
    told = [(event["type"], event["data"]["id"]) for event in office.feed()]
    assert [kind for kind, _ in told] == [
        "response.completed",
        "response.failed",
        "response.incomplete",
        "response.cancelled",
        "response.failed",
    ]
    assert told[0][1] == f"resp_{done.number}"
    assert told[-1][1] == f"resp_{late}"
    assert office.feed()[-1]["data"]["respool"]["error"]["code"] == "expired"


def test_an_event_tells_the_job_with_its_metadata_usage_and_error(office: PostOffice) -> None:
    (claim,) = office.bench.run_all(1, metadata={"größe": 'a"b%s'}, project="p")
    usage = {"input_tokens": 12_345_678_901, "output_tokens": 0, "total_tokens": 12_345_678_901}
    office.bench.runs().finish(claim, replace(COMPLETED, usage=usage), answered(7))
    (event,) = office.feed("p")
    assert event["object"] == "event"
    assert event["id"] == f"evt_{claim.number}01"
    assert "." not in event["id"]
    assert isinstance(event["created_at"], int)
    assert event["data"]["respool"] == {
        "job_id": f"job_{claim.number}",
        "project": "p",
        "model": "m",
        "metadata": {"größe": 'a"b%s'},
        "error": None,
        "usage": usage,
    }


def test_the_event_of_a_job_that_was_tried_again_has_an_id_of_its_own(office: PostOffice) -> None:
    (claim,) = office.bench.run_all(1)
    office.bench.runs().finish(claim, FAILURE, FAILED)
    office.bench.store.retry(claim.number, project=None)
    office.bench.dispatch()
    (again,) = office.bench.claim()
    office.bench.runs().finish(again, COMPLETED, ANSWERED)
    assert [event["id"][-2:] for event in office.feed()] == ["01", "02"]


def test_an_end_written_twice_is_one_event(office: PostOffice) -> None:
    (claim,) = office.bench.run_all(1, webhook=HOOK)
    for _ in range(2):
        office.bench.runs().finish(claim, COMPLETED, ANSWERED)
    office.bench.store.cancel(claim.number, project=None)
    assert len(office.feed()) == 1
    assert len(office.of_job(claim.number)) == 1


def test_a_job_owes_its_webhook_only_the_events_that_it_names(office: PostOffice) -> None:
    silent = office.end_job(replace(HOOK, events=("response.completed",)))
    told = office.end_job(replace(HOOK, events=("response.completed", "response.cancelled")))
    assert office.of_job(silent) == []
    assert len(office.of_job(told)) == 1
    assert office.of_job(office.end_job(None)) == []


def test_an_event_is_owed_to_every_endpoint_of_its_project_that_wants_it(office: PostOffice) -> None:
    office.register("we_all")
    office.register("we_ends", events=["response.cancelled"])
    office.register("we_others", events=["response.completed"])
    office.register("we_foreign", project="q")
    number = office.end_job(HOOK)
    endpoints = {office.record(d)["endpoint"] for d in office.of_job(number)}
    assert endpoints == {"", "we_all", "we_ends"}
    assert {office.record(d)["event"] for d in office.of_job(number)} == {f"evt_{number}01"}


def test_a_delivery_is_listed_as_open_until_it_ends(office: PostOffice) -> None:
    number = office.end_job()
    (d,) = office.of_job(number)
    assert office.listed() == {"open": {d}}
    (claim,) = office.take()
    office.settle(claim)
    assert office.listed() == {"delivered": {d}}


def test_the_feed_of_a_silent_project_goes_a_day_after_its_retention(office: PostOffice) -> None:
    office.end_job(retention_seconds=60.0)
    assert 86400_000 < office.client.pttl(keys.events("default")) <= (60 + 86400) * 1000


@pytest.mark.parametrize("stored", [b"{}", b'{"secret":"x"}'])
def test_the_record_of_a_delivery_holds_the_bytes_that_go_out(office: PostOffice, stored: bytes) -> None:
    number = office.end_job(replace(HOOK, secret=stored.decode()))
    (d,) = office.of_job(number)
    assert json.loads(office.record(d)["body"]) == office.feed()[0]
    assert office.record(d)["secret"] == stored.decode()


def test_a_sweep_that_owes_very_many_deliveries_leaves_the_rest_to_the_next(office: PostOffice) -> None:
    for n in range(50):
        office.register(f"we_{n}", origin=f"https://h{n}.example:443")
    numbers = [office.bench.submit(queue_deadline_seconds=1.0) for _ in range(130)]
    office.bench.make_due("deadlines")
    first, second = office.bench.sweep(), office.bench.sweep()
    assert (first.expired, second.expired) == (100, 30)
    assert {len(office.of_job(number)) for number in numbers} == {50}
