import threading
import time

import pytest
import requests

from jobs.webhooks.secrets import new_secret
from respool.demo_receiver import Received, receiving, verified
from worker.webhooks.signing import signed_headers

SECRET = new_secret()
BODY = b'{"type": "response.completed"}'


def webhook(*secrets: str, timestamp: float | None = None) -> Received:
    now = int(time.time() if timestamp is None else timestamp)
    return Received(headers=signed_headers("evt_1", BODY, secrets=secrets, timestamp=now), body=BODY)


def test_what_is_posted_to_it_is_kept_with_its_headers() -> None:
    with receiving() as receiver:
        answer = requests.post(receiver.url, data=BODY, headers={"Webhook-Id": "evt_1"}, timeout=10)
        received = receiver.wait(seconds=10)
    assert answer.status_code == 204
    assert received is not None
    assert received.body == BODY
    assert received.headers["webhook-id"] == "evt_1"


def test_waiting_for_nothing_ends_with_its_time() -> None:
    with receiving() as receiver:
        assert receiver.wait(seconds=0.01) is None


def test_its_thread_ends_with_it() -> None:
    with receiving():
        assert "receiver" in {thread.name for thread in threading.enumerate()}
    for thread in threading.enumerate():
        if thread.name == "receiver":
            thread.join(timeout=10)
            assert not thread.is_alive()


def test_an_event_that_is_signed_with_the_secret_is_believed() -> None:
    assert verified(webhook(SECRET), secret=SECRET) == {"type": "response.completed"}
    assert verified(webhook(new_secret(), SECRET), secret=SECRET) == {"type": "response.completed"}


@pytest.mark.parametrize(
    "received",
    [
        webhook(new_secret()),
        Received(headers=webhook(SECRET).headers, body=BODY + b" "),
        Received(headers={**webhook(SECRET).headers, "webhook-id": "evt_2"}, body=BODY),
        Received(headers={}, body=BODY),
        webhook(SECRET, timestamp=time.time() - 100_000),
        webhook(SECRET, timestamp=time.time() + 100_000),
    ],
)
def test_anything_else_is_not(received: Received) -> None:
    with pytest.raises(ValueError, match=r"signature|signed"):
        verified(received, secret=SECRET)
