import logging
from typing import Any

import pytest

from jobs.webhooks.deliveries import Tried, Verdict
from tests.fakes.post_office import DELIVERED, GONE, PostOffice, retrying
from tests.unit.api.conftest import Caller, error_of
from tests.unit.api.webhooks import ORIGIN, deliveries, ended, registered, settle_all

PATH = "/v1/webhook_deliveries"
EXHAUSTED = Verdict(status="exhausted", origin="fault")
REDIRECTED = Tried(
    started_at=2.5, latency_ms=7, http_status=302, error="http_302", answer="no", location="https://e.com/"
)


def test_a_delivery_shows_its_event_its_receiver_and_its_attempts(alice: Caller, office: PostOffice) -> None:
    job = ended(alice)
    (new,) = deliveries(alice)
    assert new == {
        "object": "webhook_delivery", "id": new["id"], "event_id": f"evt_{job['id'].removeprefix('job_')}01",
        "type": "response.cancelled", "project": "alice", "job_id": job["id"], "endpoint_id": None, "origin": ORIGIN,
        "status": "pending", "created_at": new["created_at"], "next_attempt_at": new["next_attempt_at"],
        "ended_at": None, "error": None, "attempts": [],
    }  # fmt: skip
    assert abs(new["next_attempt_at"] - new["created_at"]) < 1
    (claim,) = office.take()
    office.settle(claim, retrying(60), REDIRECTED)
    shown = alice.get(f"{PATH}/{new['id']}").json
    assert (shown["status"], shown["error"]) == ("retrying", "http_302")
    assert shown["attempts"] == [
        {
            "number": 1, "started_at": 2.5, "latency_ms": 7, "http_status": 302, "error": "http_302", "answer": "no",
            "location": "https://e.com/", "trigger": "schedule",
        }
    ]  # fmt: skip


def test_an_attempt_that_was_lost_says_that_nobody_knows(alice: Caller, office: PostOffice) -> None:
    ended(alice)
    office.take("s1")
    office.senders.leave("s1")
    (shown,) = deliveries(alice)
    (attempt,) = shown["attempts"]
    assert (attempt["error"], attempt["http_status"], attempt["answer"]) == ("unknown", None, "")


def test_a_jobs_deliveries_are_its_own_and_those_of_the_projects_endpoints(alice: Caller, bob: Caller) -> None:
    endpoint = registered(alice)
    registered(bob)
    job = ended(alice)
    ended(alice)
    found = deliveries(alice, f"/v1/jobs/{job['id']}/deliveries")
    assert {(d["endpoint_id"], d["job_id"]) for d in found} == {(None, job["id"]), (endpoint["id"], job["id"])}
    assert alice.get(f"/v1/jobs/{alice.job()['id']}/deliveries").json == {"object": "list", "data": []}


def test_pages_follow_each_other_and_say_whether_there_are_more(alice: Caller) -> None:
    jobs = [ended(alice)["id"] for _ in range(5)]
    seen: list[str] = []
    path = f"{PATH}?limit=2"
    while True:
        page = alice.get(path).json
        assert page["object"] == "list"
        assert (page["first_id"], page["last_id"]) == (page["data"][0]["id"], page["data"][-1]["id"])
        seen += [delivery["job_id"] for delivery in page["data"]]
        if not page["has_more"]:
            break
        path = f"{PATH}?limit=2&after={page['last_id']}"
    assert seen == jobs[::-1]


def test_an_empty_page_has_no_ids(alice: Caller) -> None:
    page = alice.get(PATH).json
    assert page == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}


def test_a_status_chooses_and_dead_are_the_dead_letters(alice: Caller, office: PostOffice) -> None:
    gone = ended(alice)["id"]
    settle_all(office, GONE)
    exhausted = ended(alice)["id"]
    settle_all(office, EXHAUSTED)
    delivered = ended(alice)["id"]
    settle_all(office, DELIVERED)

    def jobs(status: str) -> list[str]:
        return [delivery["job_id"] for delivery in deliveries(alice, f"{PATH}?status={status}")]

    assert jobs("dead") == [exhausted, gone]
    assert (jobs("gone"), jobs("exhausted"), jobs("delivered"), jobs("pending")) == (
        [gone],
        [exhausted],
        [delivered],
        [],
    )


@pytest.mark.parametrize(
    ("query", "status", "param"),
    [
        ("status=lost", 400, "status"), ("limit=0", 400, "limit"), ("limit=101", 400, "limit"), ("x=1", 400, "x"),
        ("after=dlv_x", 400, "after"), (f"after=dlv_{'0' * 32}", 400, "after"),
        ("endpoint_id=we_x", 404, "endpoint_id"),
    ],
)  # fmt: skip
def test_a_wrong_question_is_refused_by_name(query: str, status: int, param: str, alice: Caller) -> None:
    answer = alice.get(f"{PATH}?{query}")
    assert (answer.status_code, error_of(answer)["param"]) == (status, param)


def test_a_list_may_be_of_one_endpoint_on_either_path(alice: Caller) -> None:
    endpoint = registered(alice)
    ended(alice)
    for path in (f"{PATH}?endpoint_id={endpoint['id']}", f"/v1/webhook_endpoints/{endpoint['id']}/deliveries"):
        assert [delivery["endpoint_id"] for delivery in deliveries(alice, path)] == [endpoint["id"]]


def test_an_admin_sees_the_deliveries_of_all_projects(alice: Caller, bob: Caller, admin: Caller) -> None:
    ended(alice)
    ended(bob)
    assert [delivery["project"] for delivery in deliveries(admin)] == ["bob", "alice"]
    assert [delivery["project"] for delivery in deliveries(alice)] == ["alice"]


@pytest.mark.parametrize("outcome", [DELIVERED, GONE, EXHAUSTED])
def test_what_has_ended_in_any_way_can_be_replayed(
    outcome: Verdict, alice: Caller, office: PostOffice, caplog: pytest.LogCaptureFixture
) -> None:
    ended(alice)
    settle_all(office, outcome)
    (before,) = deliveries(alice)
    assert before["ended_at"] is not None
    with caplog.at_level(logging.INFO, logger="api"):
        answer = alice.post(f"{PATH}/{before['id']}/replay")
    assert answer.status_code == 202
    assert (answer.json["status"], answer.json["ended_at"], answer.json["event_id"]) == (
        "pending", None, before["event_id"],
    )  # fmt: skip
    assert f"{before['id']} replayed by key_" in caplog.text
    settle_all(office, DELIVERED)
    (after,) = deliveries(alice)
    assert (after["status"], [a["trigger"] for a in after["attempts"]]) == ("delivered", ["schedule", "manual"])


def test_what_is_open_or_has_lost_its_endpoint_is_not_replayed(alice: Caller, office: PostOffice) -> None:
    endpoint = registered(alice)
    alice.post(f"/v1/jobs/{alice.job()['id']}/cancel")
    (delivery,) = deliveries(alice)

    def refusal() -> str:
        answer = alice.post(f"{PATH}/{delivery['id']}/replay")
        assert answer.status_code == 400
        return str(error_of(answer)["code"])

    assert refusal() == "delivery_open"
    settle_all(office, EXHAUSTED)
    alice.ask("PATCH", f"/v1/webhook_endpoints/{endpoint['id']}", json={"status": "disabled"})
    assert refusal() == "endpoint_disabled"
    alice.delete(f"/v1/webhook_endpoints/{endpoint['id']}")
    assert refusal() == "endpoint_deleted"


def test_all_dead_letters_since_a_time_are_replayed_of_the_callers_project(
    alice: Caller, bob: Caller, admin: Caller, office: PostOffice
) -> None:
    for caller in (alice, alice, bob, bob):
        ended(caller)
    settle_all(office, EXHAUSTED)
    first, _ = deliveries(alice)[::-1]
    answer = alice.post(f"{PATH}/replay", json={"since": first["created_at"] - 1})
    assert answer.status_code == 202
    assert answer.json == {"object": "webhook_replay", "replayed": 2, "has_more": False}
    assert {delivery["status"] for delivery in deliveries(bob)} == {"exhausted"}
    assert alice.post(f"{PATH}/replay", json={"since": 0}).json["replayed"] == 0
    assert bob.post(f"{PATH}/replay", json={"since": 10**11}).json["replayed"] == 0
    assert admin.post(f"{PATH}/replay", json={"since": 0}).json["replayed"] == 2


def test_a_replay_of_many_may_be_of_one_endpoint(alice: Caller, office: PostOffice) -> None:
    endpoint = registered(alice)
    ended(alice)
    settle_all(office, EXHAUSTED)
    body: dict[str, Any] = {"since": 0, "endpoint_id": endpoint["id"]}
    assert alice.post(f"{PATH}/replay", json=body).json["replayed"] == 1
    assert {d["endpoint_id"]: d["status"] for d in deliveries(alice)} == {None: "exhausted", endpoint["id"]: "pending"}


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [({}, 400, "since"), ({"since": "0"}, 400, "since"), ({"since": 0, "endpoint_id": "x"}, 404, "endpoint_id")],
)
def test_a_wrong_replay_is_refused_by_name(body: dict[str, Any], status: int, param: str, alice: Caller) -> None:
    answer = alice.post(f"{PATH}/replay", json=body)
    assert (answer.status_code, error_of(answer)["param"]) == (status, param)
