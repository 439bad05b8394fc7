"""`python -m respool.worker_health`: a container's check that its worker process lives and offers its slots."""

from __future__ import annotations

import os
import socket
import sys

import redis

from jobs.connection import connect
from jobs.errors import StoreError
from jobs.workers import Workers
from respool.errors import WrongSettings
from respool.surroundings import checked


def lives(client: redis.Redis, *, host: str) -> bool:
    """Whether a worker process on this host has renewed its lease. Raises StoreUnavailable."""
    return any(worker.host == host for worker in Workers(client).live())


def main() -> int:
    try:
        with connect(checked(os.environ).redis_url) as client:
            found = lives(client, host=socket.gethostname())
    except (StoreError, WrongSettings) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
