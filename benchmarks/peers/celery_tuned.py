"""Celery as one sets it up who wants it fast, and wants to keep what its acknowledgements promise."""

import requests
from celery import Celery
from requests.adapters import HTTPAdapter
from work import ENDPOINT, HEADERS, REDIS_URL, WIDTH

app = Celery("peer", broker=REDIS_URL, backend=REDIS_URL)
app.conf.update(
    worker_prefetch_multiplier=4,
    worker_disable_rate_limits=True,
    worker_send_task_events=False,
    worker_enable_remote_control=False,
    task_send_sent_event=False,
    task_store_errors_even_if_ignored=False,
    result_extended=False,
    redis_max_connections=4096,
    broker_pool_limit=64,
)
session = requests.Session()
session.trust_env = False
session.mount("http://", HTTPAdapter(pool_maxsize=WIDTH or 100))


@app.task(name="call")
def call(job_id: str, body: str) -> str:
    answer = session.post(f"{ENDPOINT}/v1/responses", data=body, headers=HEADERS, timeout=600)
    answer.raise_for_status()
    return answer.text


def open_client() -> None:
    """Connects with the first job."""


def send(job_id: str, body: str) -> None:
    call.apply_async((job_id, body), task_id=job_id)


def close_client() -> None:
    """Nothing is held back."""
