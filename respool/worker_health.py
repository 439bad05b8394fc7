"""`python -m respool.worker_health [worker | sender]`: a container's check that its process lives and offers slots."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable, Mapping

import redis

from jobs.connection import connect
from jobs.errors import StoreError
from jobs.webhooks.senders import Senders
from jobs.workers import Workers
from respool.errors import WrongSettings
from respool.surroundings import checked

Hosts = Callable[[redis.Redis], set[str]]

HOSTS: Mapping[str, Hosts] = {
    "worker": lambda client: {worker.host for worker in Workers(client).live()},
    "sender": lambda client: {sender.host for sender in Senders(client).live()},
}
"""Where the processes of each kind run that have renewed their leases; they raise StoreUnavailable."""


def main(kind: str = "worker") -> int:
    try:
        with connect(checked(os.environ).redis_url) as client:
            found = socket.gethostname() in HOSTS[kind](client)
    except (StoreError, WrongSettings) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
