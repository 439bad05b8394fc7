"""Deliveries as a sender sees them: claimed, then settled."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from jobs import keys
from jobs.webhooks.deliveries import Verdict
from tests.fakes.bench import ANSWERED, COMPLETED, FAILED, FAILURE
from tests.fakes.clock import Clock
from tests.fakes.post_office import GONE, HOOK, ORIGIN, TRIED, PostOffice, retrying

BLOCKED = Verdict(status="blocked", origin="unmoved")


def test_a_claim_holds_all_that_an_attempt_needs(office: PostOffice) -> None:
    number = office.end_job()
    (claim,) = office.take()
    assert claim.event_id == f"evt_{number}01"
    assert (claim.attempt, claim.step, claim.trigger) == (1, 0, "schedule")
    assert (claim.url, claim.include, claim.type) == (HOOK.url, "id", "response.cancelled")
    assert (claim.signer, claim.sealed, claim.endpoint_id) == ("own", ("sealed",), None)
    assert claim.body.decode() == office.record(claim.number)["body"]
    assert claim.kept is None


def test_the_same_message_handled_again_is_claimed_only_with_its_own_nonce(office: PostOffice) -> None:
    office.end_job()
    office.beat()
    office.release()
    (message,) = office.messages()
    claims = [office.deliveries().claim(message.numbers, dispatch=message.dispatch, nonce=n) for n in ("a", "a", "b")]
    assert [len(found) for found in claims] == [1, 1, 0]
    assert claims[0] == claims[1]
    assert office.deliveries("s2").claim(message.numbers, dispatch=message.dispatch, nonce="a") == []


def test_the_response_comes_with_the_claim_where_it_is_asked_for(office: PostOffice) -> None:
    (job,) = office.bench.run_all(1, webhook=replace(HOOK, include="response"))
    office.bench.runs().finish(job, COMPLETED, ANSWERED)
    (claim,) = office.take()
    assert claim.kept is not None
    assert (claim.kept.number, claim.kept.status) == (job.number, "completed")
    assert claim.kept.response == COMPLETED.response


def test_a_job_without_a_response_of_its_own_brings_what_one_is_made_from(office: PostOffice) -> None:
    number = office.end_job(replace(HOOK, include="response"), echo='{"model":"m","metadata":{"a":"b"}}')
    (claim,) = office.take()
    assert claim.kept is not None
    assert claim.kept.response is None
    assert claim.kept.echo == b'{"model":"m","metadata":{"a":"b"}}'
    assert claim.kept.created_at == pytest.approx(office.bench.job(number).created_at)
    assert claim.kept.finished_at == office.bench.job(number).finished_at


def test_a_response_that_is_too_large_or_of_a_job_that_was_tried_again_does_not_come(office: PostOffice) -> None:
    large, again = office.bench.run_all(2, webhook=replace(HOOK, include="response"))
    end = replace(COMPLETED, response=b'"%s"' % (b"x" * 256 * 1024))
    office.bench.runs().finish(large, end, ANSWERED)
    office.bench.runs().finish(again, FAILURE, FAILED)
    office.bench.store.retry(again.number, project=None)
    assert [claim.kept for claim in office.take()] == [None, None]


def test_a_success_ends_the_delivery_and_is_logged(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    assert office.settle(claim).answer == "settled"
    record = office.record(claim.number)
    assert (record["status"], record["stage"], record["error"]) == ("delivered", "ended", "")
    (entry,) = office.log(claim.number)
    assert (entry["number"], entry["http_status"], entry["trigger"]) == (1, 200, "schedule")
    assert office.slots() == 0
    assert office.take() == []


def test_an_ended_delivery_goes_with_its_retention(office: PostOffice) -> None:
    office.end_job(retention_seconds=100.0)
    (claim,) = office.take()
    assert office.client.pttl(keys.delivery(claim.number)) == -1
    office.settle(claim)
    for key in (keys.delivery(claim.number), keys.delivery_log(claim.number)):
        assert 0 < office.client.pttl(key) <= 100_000


def test_a_failure_is_tried_again_when_it_is_due_with_the_same_event(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.end_job()
    (first,) = office.take()
    office.settle(first, retrying(5.0), replace(TRIED, http_status=500, error="http_500"))
    assert office.record(first.number)["status"] == "retrying"
    clock.forward(4.9)
    assert office.take() == []
    clock.forward(0.2)
    (second,) = office.take()
    assert (second.attempt, second.step) == (2, 1)
    assert (second.event_id, second.body) == (first.event_id, first.body)


def test_an_attempt_that_does_not_spend_leaves_the_schedule_where_it_was(office: PostOffice) -> None:
    office.end_job()
    (first,) = office.take()
    office.settle(first, retrying(spends=False, origin="unmoved"))
    (second,) = office.take()
    assert (second.attempt, second.step) == (2, 0)


@pytest.mark.parametrize(
    ("verdict", "status"),
    [(GONE, "gone"), (BLOCKED, "blocked"), (Verdict(status="exhausted", origin="fault"), "exhausted")],
)
def test_what_cannot_be_delivered_is_a_dead_letter(office: PostOffice, verdict: Verdict, status: str) -> None:
    office.end_job()
    (claim,) = office.take()
    office.settle(claim, verdict, replace(TRIED, error="why"))
    assert office.record(claim.number)["status"] == status
    assert office.record(claim.number)["error"] == "why"
    assert office.listed() == {"dead": {claim.number}}
    assert office.take() == []


def test_a_settle_that_comes_twice_changes_nothing(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    office.settle(claim)
    before = office.record(claim.number)
    assert office.settle(claim, retrying()).answer == "late"
    assert office.record(claim.number) == before
    assert len(office.log(claim.number)) == 1


def test_a_log_that_cannot_be_written_does_not_send_again(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    office.client.set(keys.delivery_log(claim.number), "no list")
    assert office.settle(claim).answer == "settled"
    assert office.record(claim.number)["status"] == "delivered"
    assert office.take() == []


def test_a_success_of_a_sender_given_up_for_lost_counts(office: PostOffice) -> None:
    office.end_job()
    (claim,) = office.take()
    office.kill("s1")
    office.sweep()
    assert office.record(claim.number)["status"] == "retrying"
    assert office.settle(claim).answer == "settled"
    assert office.record(claim.number)["status"] == "delivered"
    assert office.take("s2") == []


def test_a_failure_of_a_sender_given_up_for_lost_does_not(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.end_job()
    (lost,) = office.take()
    office.kill("s1")
    office.sweep()
    clock.forward(1.5)
    (again,) = office.take("s2")
    assert again.event_id == lost.event_id
    assert office.settle(lost, retrying(60.0)).answer == "late"
    assert office.settle(again).answer == "settled"
    assert [entry.get("error") for entry in office.log(again.number)] == ["unknown", None]


def test_the_secrets_of_an_endpoint_sign_until_their_time_is_over(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    endpoint = office.register("we_1")
    held = f'[["new", 0], ["old", {clock.milliseconds() + 60_000:.0f}], ["older", {clock.milliseconds() - 1:.0f}]]'
    office.client.hset(keys.webhook_endpoint(endpoint), "secrets", held)
    office.end_job(None)
    (claim,) = office.take()
    assert (claim.signer, claim.sealed, claim.endpoint_id) == ("endpoint", ("new", "old"), "we_1")
    assert claim.url == f"{ORIGIN}/hook"


def test_a_job_without_a_secret_of_its_own_is_signed_with_its_projects(office: PostOffice) -> None:
    office.client.hset(keys.project("default"), "secrets", '[["projects", 0]]')
    office.end_job(replace(HOOK, secret=None))
    (claim,) = office.take()
    assert (claim.signer, claim.sealed) == ("project", ("projects",))


def test_what_is_owed_to_an_endpoint_that_was_disabled_or_deleted_is_not_sent(office: PostOffice) -> None:
    office.register("we_off")
    office.register("we_gone")
    number = office.end_job(None)
    office.client.hset(keys.webhook_endpoint("we_off"), "status", "disabled")
    office.client.delete(keys.webhook_endpoint("we_gone"))
    assert office.take() == []
    found = {record["endpoint"]: record for record in map(office.record, office.of_job(number))}
    assert found["we_off"]["status"] == found["we_gone"]["status"] == "cancelled"
    assert (found["we_off"]["error"], found["we_gone"]["error"]) == ("endpoint_disabled", "endpoint_deleted")
    assert office.slots() == 0


def test_a_delivery_follows_its_endpoint_to_another_origin(office: PostOffice) -> None:
    office.register("we_1")
    office.end_job(None)
    moved = {"origin": "https://new.example:443", "url": "https://new.example/hook"}
    office.client.hset(keys.webhook_endpoint("we_1"), mapping=moved)
    assert office.take() == []
    (claim,) = office.take()
    assert claim.url == "https://new.example/hook"
    assert (office.slots(), office.slots("https://new.example:443")) == (0, 1)


def test_a_gone_endpoint_is_disabled_and_the_project_is_told(office: PostOffice) -> None:
    office.register("we_1")
    office.register("we_2", origin="https://other.example:443")
    office.end_job(None)
    by_endpoint = {claim.endpoint_id: claim for claim in office.take()}
    assert office.settle(by_endpoint["we_1"], GONE).disabled == "gone"
    fields = office.client.hmget(keys.webhook_endpoint("we_1"), "status", "disabled_reason")
    assert fields == [b"disabled", b"gone"]
    event = office.feed()[-1]
    assert (event["type"], event["data"]["id"]) == ("webhook_endpoint.disabled", "we_1")
    assert event["data"]["respool"] == {"project": "default", "origin": ORIGIN, "reason": "gone"}
    (claim,) = office.take()
    assert (claim.endpoint_id, claim.type) == ("we_2", "webhook_endpoint.disabled")


def test_an_endpoint_that_fails_for_days_is_disabled(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.disable_seconds = 3600.0
    office.register("we_1")
    office.end_job(None)
    (first,) = office.take()
    assert office.settle(first, retrying(3599.0)).disabled == ""
    clock.forward(3599.5)
    (second,) = office.take()
    assert office.settle(second, retrying(1.0)).disabled == ""
    clock.forward(1.0)
    (third,) = office.take()
    assert office.settle(third, retrying(1.0)).disabled == "failing"


def test_a_failure_that_nothing_followed_for_days_is_forgiven(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.register("we_1")
    office.end_job(None)
    (first,) = office.take()
    office.settle(first, Verdict(status="exhausted", origin="fault"))
    clock.forward(6 * 86400)
    office.end_job(None)
    (second,) = office.take()
    assert office.settle(second, retrying(5.0)).disabled == ""


def test_what_a_disabled_endpoint_is_owed_besides_is_cancelled_with_it(office: PostOffice) -> None:
    office.register("we_1")
    numbers = [office.end_job(None) for _ in range(6)]
    claims = office.take()
    assert len(claims) == 4
    office.settle(claims[0], GONE)
    found = sorted(office.record(d)["status"] for number in numbers for d in office.of_job(number))
    assert found == ["cancelled"] * 2 + ["gone"] + ["sending"] * 3
    for claim in claims[1:]:
        office.settle(claim)
    assert office.listed().keys() == {"dead", "delivered"}


def test_a_success_ends_the_days_of_failure(timed_office: PostOffice, clock: Clock) -> None:
    office = timed_office
    office.disable_seconds = 3600.0
    office.register("we_1")
    office.end_job(None)
    (first,) = office.take()
    office.settle(first, retrying(3599.0))
    clock.forward(3599.5)
    (second,) = office.take()
    office.settle(second)
    office.end_job(None)
    clock.forward(1.0)
    (third,) = office.take()
    assert office.settle(third, retrying(1.0)).disabled == ""


def test_every_field_that_a_delivery_comes_to_have_is_documented(office: PostOffice) -> None:
    document = (Path(__file__).parents[4] / "docs" / "redis-keys.md").read_text(encoding="utf-8")
    table = document.partition("A delivery's fields:")[2].partition("Every script")[0]
    office.end_job()
    (claim,) = office.take()
    seen = set(office.record(claim.number))
    office.settle(claim, retrying(0.0))
    seen |= set(office.record(claim.number))
    assert {"nonce", "due", "step"} <= seen
    assert seen - set(re.findall(r"`([a-z_]+)`", table)) == set()
