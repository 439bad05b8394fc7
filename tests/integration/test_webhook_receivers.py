"""What a sender really delivers is verified by the libraries that receivers have."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import redis
from standardwebhooks import Webhook

from jobs import keys
from jobs.vault import Vault
from jobs.webhooks.endpoints import Endpoints
from schemas.allow import Allow
from schemas.webhook_url import parse_webhook_url
from tests.fakes.bench import Bench, running_bench
from tests.fakes.post_office import PostOffice
from tests.fakes.processes import running_sender
from tests.fakes.receiver import Received, Reply, running_receiver
from tests.fakes.redis_server import RedisServer
from tests.fakes.sdks import GENERATIONS, run_sdk
from tests.fakes.waiting import wait_until

Arrived = Sequence[tuple[Received, list[str]]]

UNWRAP = """
import json, sys
import openai

for case in json.loads(sys.argv[1]):
    client = openai.OpenAI(api_key="none", webhook_secret=case["secret"])
    print(client.webhooks.unwrap(case["body"].encode(), case["headers"]).id)
"""


@pytest.fixture(scope="module")
def arrived(redis_server: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    """Requests with the secrets that each must verify with: a first attempt, its retry, and one during a rotation."""
    with redis.Redis(port=redis_server.port) as client:
        client.flushall()
        with running_bench(client) as bench:
            return _deliver(bench, redis_server.url, tmp_path_factory.mktemp("sender"))


def _deliver(bench: Bench, redis_url: str, folder: Path) -> list[tuple[Received, list[str]]]:
    office, endpoints = PostOffice(bench), Endpoints(bench.client, Vault(bench.client, secret=""))
    replies = iter([Reply(status=500), Reply(), Reply()])
    settings = {
        "RESPOOL_REDIS_URL": redis_url,
        "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
        "RESPOOL_WEBHOOK_SCHEDULE": "0,1.5",
    }

    def all_delivered(count: int) -> bool:
        return bench.client.zcard(keys.project_deliveries("delivered", "default")) == count

    with running_receiver(lambda _: next(replies)) as receiver, running_sender(folder, settings):
        url = parse_webhook_url(receiver.url, allow=Allow.parse("127.0.0.0/8"))
        old, endpoint = endpoints.create("default", url=url)
        office.end_job(None)
        wait_until(lambda: all_delivered(1))
        new = endpoints.rotate(endpoint.id, project="default")
        office.end_job(None)
        wait_until(lambda: all_delivered(2))
    first, retried, rotating = receiver.requests
    return [(first, [old]), (retried, [old]), (rotating, [new, old])]


def test_standardwebhooks_verifies_every_attempt(arrived: Arrived) -> None:
    for received, secrets in arrived:
        for secret in secrets:
            event = Webhook(secret).verify(received.body, dict(received.headers))
            assert event["id"] == received.headers["webhook-id"]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_every_openai_sdk_unwraps_every_attempt(arrived: Arrived, generation: int) -> None:
    cases = [
        {"secret": secret, "body": received.body.decode(), "headers": dict(received.headers)}
        for received, secrets in arrived
        for secret in secrets
    ]
    told = run_sdk(generation, UNWRAP, json.dumps(cases)).split()
    assert told == [case["headers"]["webhook-id"] for case in cases]


def test_a_retry_is_the_same_event_at_a_later_time(arrived: Arrived) -> None:
    (first, _), (retried, _), (other, _) = arrived
    assert first.headers["webhook-id"] == retried.headers["webhook-id"] != other.headers["webhook-id"]
    assert int(retried.headers["webhook-timestamp"]) > int(first.headers["webhook-timestamp"])
    assert first.body == retried.body
