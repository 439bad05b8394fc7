"""Dramatiq with its results kept in Redis."""

import dramatiq
import requests
from dramatiq.brokers.redis import RedisBroker
from dramatiq.results import Results
from dramatiq.results.backends import RedisBackend
from requests.adapters import HTTPAdapter
from work import ENDPOINT, HEADERS, REDIS_URL, WIDTH

results = RedisBackend(url=REDIS_URL, namespace="results", use_namespace_prefix_keys=True)
broker = RedisBroker(url=REDIS_URL)
broker.add_middleware(Results(backend=results))
dramatiq.set_broker(broker)

session = requests.Session()
session.trust_env = False
session.mount("http://", HTTPAdapter(pool_maxsize=WIDTH or 100))


@dramatiq.actor(store_results=True, time_limit=3_600_000)
def call(job_id: str, body: str) -> str:
    answer = session.post(f"{ENDPOINT}/v1/responses", data=body, headers=HEADERS, timeout=600)
    answer.raise_for_status()
    return answer.text


def open_client() -> None:
    """Connects with the first job."""


def send(job_id: str, body: str) -> None:
    call.send(job_id, body)


def close_client() -> None:
    """Nothing is held back."""
