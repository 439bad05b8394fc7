"""Whether the processes of `up` answer."""

from __future__ import annotations

import redis
import requests

from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from respool.errors import CannotRun

LOOK_SECONDS = 1.0


def redis_answers(url: str) -> bool:
    """Whether the server takes commands; not yet while it loads its file. Raises CannotRun if it never will."""
    try:
        with connect(url) as client:
            return bool(client.ping())
    except (redis.AuthenticationError, redis.ResponseError) as error:
        raise CannotRun(f"the Redis server refuses: {error}") from error
    except redis.RedisError:
        return False


def http_answers(url: str) -> bool:
    """Whether a GET of `url` gives 200 within a second."""
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=LOOK_SECONDS).status_code == 200
        except requests.RequestException:
            return False


def all_live(redis_url: str, processes: set[int]) -> bool:
    """Whether each of the processes, workers and senders, has told the store that it takes what is to be done."""
    with connect(redis_url) as client:
        try:
            workers, senders = Workers(client).live(), Senders(client).live()
        except StoreUnavailable:
            return False
    return processes <= {worker.pid for worker in workers} | {sender.pid for sender in senders}
