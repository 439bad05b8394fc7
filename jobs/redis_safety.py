"""Whether Redis is a place for jobs, which every process asks before it takes any."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Literal

import redis

from jobs import scripts
from jobs.errors import StoreUnavailable
from jobs.persistence import Persistence, PersistenceCheck
from schemas.addresses import why_forbidden

log = logging.getLogger(__name__)


class RedisSafety:
    """`unsafe` is RESPOOL_UNSAFE_REDIS. What the server said once holds for the life of the process."""

    def __init__(self, client: redis.Redis, *, unsafe: Literal["refuse", "allow"]) -> None:
        self._client = client
        self._persistence = PersistenceCheck(client)
        self._unsafe = unsafe
        self.answered = False

    def refusal(self) -> str | None:
        """Why this process must not go on. None if it may, or as long as Redis does not answer."""
        if self.answered:
            return None
        try:
            found = self._persistence.ask()
            address, login = _address_of(self._client), _has_login(self._client)
        except StoreUnavailable:
            return None
        self.answered = True
        faults = faults_of(found, address=address, login=login)
        if faults and self._unsafe == "refuse":
            return f"RESPOOL_REDIS_URL: {'; '.join(faults)}. RESPOOL_UNSAFE_REDIS=allow starts all the same"
        for line in (*faults, *doubts_of(found, address=address, login=login)):
            log.warning("REDIS IS NOT SET UP TO KEEP JOBS: %s", line)
        return None


def faults_of(found: Persistence | None, *, address: str, login: bool) -> Sequence[str]:
    """What no service should start with. `found` None: the server does not say, which is no fault."""
    lost = found.faults if found is not None else []
    if not login and why_forbidden(address) is None:
        lost = [*lost, f"{address} is a public address, and no password is set, so anybody may read and change jobs"]
    return lost


def doubts_of(found: Persistence | None, *, address: str, login: bool) -> Sequence[str]:
    """What an operator should know, and may have arranged so."""
    doubts = []
    if found is None:
        doubts.append("it does not say how it keeps data (INFO); see that it runs with appendonly yes and noeviction")
    if not login and why_forbidden(address) not in (None, "loopback"):
        doubts.append("no password is set, so whoever reaches it on its network may read and change jobs")
    return doubts


def _has_login(client: redis.Redis) -> bool:
    """Whether it is given a password, or a certificate."""
    given: dict[str, Any] = client.connection_pool.connection_kwargs
    return any(given.get(name) for name in ("password", "credential_provider", "ssl_certfile"))


def _address_of(client: redis.Redis) -> str:
    """Of the server that answers. Raises StoreUnavailable."""
    pool: Any = client.connection_pool
    with scripts.translated():
        connection = pool.get_connection()
        try:
            return str(connection._sock.getpeername()[0])  # no other way tells which of a name's addresses it was
        except OSError as error:
            raise StoreUnavailable("Redis cannot be reached") from error
        finally:
            pool.release(connection)
