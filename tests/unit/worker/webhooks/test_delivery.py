import json
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from jobs.closings import End
from jobs.vault import Vault
from jobs.webhooks.target import Webhook
from tests.fakes.bench import ANSWERED, Bench
from tests.fakes.post_office import PostOffice
from tests.fakes.receiver import Received, Reply
from tests.fakes.waiting import wait_until
from tests.unit.worker.webhooks.conftest import SECRET, Attempting, Reachable
from worker.calls import STOPPING, Calls
from worker.webhooks.signing import signed_headers

Owed = Callable[..., str]


def attempt(office: PostOffice, attempts: Any) -> None:
    """One attempt at the one delivery that may go now."""
    (claim,) = office.take()
    attempts.make(claim)


def verifies(received: Received, secret: str) -> bool:
    """Whether the request's signature is the one that the secret makes."""
    timestamp = int(received.headers["webhook-timestamp"])
    made = signed_headers(received.headers["webhook-id"], received.body, secrets=[secret], timestamp=timestamp)
    return made["webhook-signature"] in received.headers["webhook-signature"].split()


def test_a_delivery_arrives_signed_and_is_written_down(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    receiver = receiving(Reply(body=b"thank you"))
    number = owed(receiver)
    attempt(office, attempting())
    (received,) = receiver.requests
    assert (received.method, received.path, received.headers["content-type"]) == ("POST", "/in", "application/json")
    assert verifies(received, SECRET)
    assert json.loads(received.body)["id"] == received.headers["webhook-id"]
    assert office.record(number)["status"] == "delivered"
    (entry,) = office.log(number)
    assert (entry["number"], entry["http_status"], entry["error"], entry["answer"]) == (1, 200, None, "thank you")
    assert abs(entry["started_at"] - received.at) < 5
    assert 0 <= entry["latency_ms"] < 5000


def test_a_failed_attempt_is_made_again_with_the_same_id(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    replies = iter([Reply(status=500), Reply(status=204)])
    receiver = receiving(lambda _: next(replies))
    number = owed(receiver)
    attempts = attempting(schedule=(0.0, 0.0))
    attempt(office, attempts)
    assert office.record(number)["status"] == "retrying"
    attempt(office, attempts)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert office.record(number)["status"] == "delivered"
    assert [entry["http_status"] for entry in office.log(number)] == [500, 204]


def test_the_last_attempt_of_the_schedule_ends_it(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    number = owed(receiving(Reply(status=500)))
    attempt(office, attempting(schedule=(0.0,)))
    assert office.record(number)["status"] == "exhausted"


def test_a_redirect_is_not_followed_and_its_target_is_shown(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    elsewhere = receiving()
    number = owed(receiving(Reply(status=302, headers={"Location": elsewhere.url})))
    attempt(office, attempting())
    (entry,) = office.log(number)
    assert (entry["http_status"], entry["location"]) == (302, elsewhere.url)
    assert office.record(number)["status"] == "retrying"
    assert elsewhere.connections == 0


def test_the_log_holds_the_beginning_of_an_answer_as_text_whatever_it_is(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    number = owed(receiving(Reply(body=b"\xff\x00" * 3000)))
    attempt(office, attempting())
    (entry,) = office.log(number)
    assert entry["answer"] == "\ufffd\x00" * 512


def test_a_receiver_that_repeats_path_and_query_has_neither_written_down(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    def repeat(request: Received) -> Reply:
        body = f"Cannot POST {request.path}, token hush-token".encode()
        return Reply(status=308, headers={"Location": f"https://other.example{request.path}"}, body=body)

    number = owed(receiving(repeat), path="/in/hush-path?token=hush-token")
    attempt(office, attempting())
    (entry,) = office.log(number)
    assert (entry["answer"], entry["location"]) == ("Cannot POST ***, token ***", "https://other.example***")


def test_a_location_that_is_no_redirect_is_not_shown(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    number = owed(receiving(Reply(status=201, headers={"Location": "/made"})))
    attempt(office, attempting())
    assert office.log(number)[0]["location"] is None


def test_an_address_that_may_not_be_dialled_blocks_the_delivery(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    receiver = receiving()
    number = owed(receiver, url="https://10.0.0.1/in", origin="https://10.0.0.1:443")
    attempt(office, attempting())
    assert office.record(number)["status"] == "blocked"
    (entry,) = office.log(number)
    assert (entry["http_status"], entry["error"], entry["answer"]) == (None, "blocked_url", "")


def test_a_call_that_is_hung_up_since_the_process_stops_is_put_back_unspent(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    receiver = receiving(Reply(behaviour="hang"))
    number = owed(receiver)
    calls = Calls()
    (claim,) = office.take()
    thread = threading.Thread(target=attempting(calls=calls).make, args=(claim,))
    thread.start()
    wait_until(lambda: len(receiver.requests) == 1)
    calls.hang_up_all(STOPPING)
    thread.join(timeout=10)
    record = office.record(number)
    assert (record["status"], record.get("step", "0")) == ("retrying", "0")
    assert office.log(number)[0]["error"] == "stopping"
    (again,) = office.take()
    assert (again.number, again.attempt, again.step) == (number, 2, 0)


def test_a_secret_that_cannot_be_opened_sends_nothing_and_is_tried_again_by_the_schedule(
    office: PostOffice,
    attempting: Attempting,
    owed: Owed,
    receiving: Reachable,
    bench: Bench,
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver = receiving()
    number = owed(receiver, secret=Vault(bench.client, secret="another").seal(SECRET))
    with caplog.at_level(logging.WARNING):
        attempt(office, attempting())
    assert receiver.connections == 0
    record = office.record(number)
    assert (record["status"], record["step"], record["error"]) == ("retrying", "1", "secret_unreadable")
    assert office.log(number)[0]["error"] == "secret_unreadable"
    assert "RESPOOL_SECRET" in caplog.text


def test_receivers_have_no_part_in_secrets_that_cannot_be_opened(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable
) -> None:
    """Though there are more of them in a row than would close an origin."""
    receiver = receiving()
    attempts = attempting(schedule=(0.0,) * 40)
    number = owed(receiver, secret="nothing that was sealed")
    for _ in range(12):
        attempt(office, attempts)
    assert office.record(number)["step"] == "12"
    owed(receiver)
    assert len(office.take()) == 2


def test_a_line_for_each_attempt_tells_of_it_and_of_no_path_query_or_secret(
    office: PostOffice, attempting: Attempting, owed: Owed, receiving: Reachable, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = receiving(Reply(status=500))
    number = owed(receiver, path="/private?token=hidden")
    with caplog.at_level(logging.INFO):
        attempt(office, attempting())
    (line,) = [record.getMessage() for record in caplog.records if record.name == "worker.webhooks.delivery"]
    (received,) = receiver.requests
    for told in (
        received.headers["webhook-id"],
        "response.cancelled",
        f"dlv_{number}",
        receiver.url,
        "500",
        "retrying",
    ):
        assert told in line
    for kept_quiet in ("private", "token", "hidden", SECRET):
        assert kept_quiet not in caplog.text


def test_an_endpoint_that_is_disabled_by_an_answer_is_warned_of(
    office: PostOffice,
    attempting: Attempting,
    vault: Vault,
    receiving: Reachable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    receiver = receiving(Reply(status=410))
    office.register("we_1", origin=receiver.url)
    office.client.hset("{respool}:webhook_endpoint:we_1", "secrets", json.dumps([[vault.seal(SECRET), 0]]))
    office.end_job(None)
    with caplog.at_level(logging.WARNING):
        attempt(office, attempting())
    assert verifies(receiver.requests[0], SECRET)
    (line,) = [record.getMessage() for record in caplog.records if record.name == "worker.webhooks.delivery"]
    assert line == "webhook endpoint we_1 of project default is disabled: gone"


def test_a_claim_holds_the_response_once_and_it_is_what_the_receiver_gets(
    office: PostOffice, attempting: Attempting, vault: Vault, receiving: Reachable, bench: Bench
) -> None:
    receiver, response = receiving(), b'{"id":"resp_1","output":[]}'
    webhook = Webhook(url=receiver.url, origin=receiver.url, secret=vault.seal(SECRET), include="response")
    bench.runs().finish(bench.run_one(webhook=webhook), End(status="completed", response=response), ANSWERED)
    office.beat("s1")
    office.release()
    attempts, (message,) = attempting(), office.messages("s1")
    (claim,) = attempts.claim(message.numbers, dispatch=message.dispatch, nonce="n")
    assert claim.kept is None
    assert claim.body.count(response) == 1
    attempts.make(claim)
    (received,) = receiver.requests
    assert received.body == claim.body
    assert json.loads(received.body)["data"]["response"] == json.loads(response)
