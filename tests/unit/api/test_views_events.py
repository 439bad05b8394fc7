import json

import pytest

from jobs import keys
from tests.fakes.post_office import PostOffice
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.webhooks import ended


def test_the_feed_has_what_webhooks_carry_oldest_first(alice: Caller, office: PostOffice) -> None:
    jobs = [ended(alice), ended(alice)]
    page = alice.get("/v1/events").json
    assert (page["object"], page["has_more"]) == ("list", False)
    assert [event["data"]["respool"]["job_id"] for event in page["data"]] == [job["id"] for job in jobs]
    carried = {claim.event_id: json.loads(claim.body) for claim in office.take()}
    assert page["data"] == [carried[event["id"]] for event in page["data"]]


def test_the_feed_needs_no_webhook(alice: Caller) -> None:
    job = alice.job()
    alice.post(f"/v1/jobs/{job['id']}/cancel")
    assert [event["data"]["respool"]["job_id"] for event in alice.get("/v1/events").json["data"]] == [job["id"]]


def test_a_reader_goes_on_after_its_cursor_and_misses_nothing(alice: Caller) -> None:
    jobs = [ended(alice)["id"] for _ in range(3)]
    seen, cursor = [], alice.get("/v1/events?limit=1").json["cursor"]
    while True:
        page = alice.get(f"/v1/events?limit=1&after={cursor}").json
        seen += [event["data"]["respool"]["job_id"] for event in page["data"]]
        cursor = page["cursor"]
        if not page["has_more"]:
            break
    assert seen == jobs[1:]
    late = ended(alice)["id"]
    page = alice.get(f"/v1/events?after={cursor}").json
    assert [event["data"]["respool"]["job_id"] for event in page["data"]] == [late]


def test_a_feed_is_of_the_keys_project_and_admins_may_name_another(alice: Caller, bob: Caller, admin: Caller) -> None:
    ended(alice)
    assert bob.get("/v1/events").json["data"] == []
    assert admin.get("/v1/events").json["data"] == []
    own = alice.get("/v1/events").json["data"]
    assert admin.get("/v1/events?project=alice").json["data"] == own
    assert alice.get("/v1/events?project=alice").json["data"] == own
    for caller, project in ((bob, "alice"), (bob, "missing"), (admin, "missing")):
        answer = caller.get(f"/v1/events?project={project}")
        assert (answer.status_code, error_of(answer)["code"]) == (404, "project_not_found")


def test_a_cursor_that_grew_too_old_is_a_410_that_says_what_to_do(make_app: AppMaker, alice: Caller) -> None:
    caller = Caller(make_app(retention_seconds=60.0).test_client(), alice.key)
    answer = caller.get("/v1/events?after=1700000000000-0")
    assert (answer.status_code, error_of(answer)["code"], error_of(answer)["param"]) == (410, "cursor_expired", "after")
    assert "without `after`" in error_of(answer)["message"]


@pytest.mark.parametrize(
    ("query", "param"),
    [("after=x", "after"), ("after=", "after"), ("limit=0", "limit"), ("limit=1001", "limit"), ("x=1", "x")],
)
def test_a_wrong_question_is_refused_by_name(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/events?{query}")
    assert (answer.status_code, error_of(answer)["param"]) == (400, param)


def test_events_are_of_utf_8_as_they_were_told(alice: Caller, office: PostOffice) -> None:
    ended(alice, metadata={"größe": '1" <b>'})
    (event,) = alice.get("/v1/events").json["data"]
    assert event["data"]["respool"]["metadata"] == {"größe": '1" <b>'}
    ((_, fields),) = office.client.xrange(keys.events("alice"))
    assert json.loads(fields[b"event"]) == event
