"""Celery with Redis as broker and result backend and nothing else said."""

import requests
from celery import Celery
from work import ENDPOINT, HEADERS, REDIS_URL

app = Celery("peer", broker=REDIS_URL, backend=REDIS_URL)


@app.task(name="call")
def call(job_id: str, body: str) -> str:
    answer = requests.post(f"{ENDPOINT}/v1/responses", data=body, headers=HEADERS, timeout=600)
    answer.raise_for_status()
    return answer.text


def open_client() -> None:
    """Connects with the first job."""


def send(job_id: str, body: str) -> None:
    call.apply_async((job_id, body), task_id=job_id)


def close_client() -> None:
    """Nothing is held back."""
