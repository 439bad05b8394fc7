"""What the tests of the sender share: its ledger, and receivers that it may reach."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest

from jobs.vault import Vault
from jobs.webhooks.secrets import new_secret
from jobs.webhooks.target import Webhook
from schemas.allow import Allow
from tests.fakes.bench import Bench
from tests.fakes.post_office import PostOffice
from tests.fakes.receiver import Answer, Receiver, Reply, running_receiver
from worker.calls import Calls
from worker.webhooks.client import WebhookClient
from worker.webhooks.delivery import DeliveryAttempts
from worker.webhooks.keyring import Keyring

SECRET = new_secret()

Reachable = Callable[..., Receiver]
Attempting = Callable[..., DeliveryAttempts]


@pytest.fixture
def office(bench: Bench) -> PostOffice:
    return PostOffice(bench)


@pytest.fixture
def receiving() -> Iterator[Reachable]:
    """Starts receivers, which end with the test."""
    with ExitStack() as stack:

        def start(answer: Answer | Reply | None = None) -> Receiver:
            return stack.enter_context(running_receiver(answer))

        yield start


@pytest.fixture
def vault(bench: Bench) -> Vault:
    return Vault(bench.client, secret="the service's")


@pytest.fixture
def attempting(office: PostOffice, vault: Vault) -> Iterator[Attempting]:
    """Attempts of the sender `s1`, which may reach loopback."""
    client = WebhookClient(
        allow=Allow.parse("127.0.0.0/8"), own=frozenset(), timeout_seconds=5.0, connections=4, ca_file=None
    )
    values: dict[str, Any] = {
        "client": client,
        "keyring": Keyring(vault, own_secret=""),
        "calls": Calls(),
        "schedule": (0.0, 60.0, 600.0),
        "timeout_seconds": 5.0,
    }

    def make(**changes: Any) -> DeliveryAttempts:
        return DeliveryAttempts(deliveries=office.deliveries(), **values | changes)

    yield make
    client.close()


@pytest.fixture
def owed(office: PostOffice, vault: Vault) -> Callable[..., str]:
    """The number of a delivery to the receiver, which a job's end owes; its own secret signs unless told otherwise."""

    def end(receiver: Receiver, *, path: str = "/in", **changes: Any) -> str:
        webhook = Webhook(url=receiver.url + path, origin=receiver.url, secret=vault.seal(SECRET))
        (number,) = office.of_job(office.end_job(replace(webhook, **changes)))
        return number

    return end
