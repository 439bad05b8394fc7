"""Whether Redis keeps what it is told: settings of the server that no caller of ours can see otherwise."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass

import redis

from jobs import scripts

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Persistence:
    appendonly: bool
    maxmemory_policy: str

    @property
    def faults(self) -> list[str]:
        """What may cost jobs; empty when all is well."""
        found = []
        if not self.appendonly:
            found.append("the append-only file is off, so a restart of Redis loses accepted jobs (appendonly yes)")
        if self.maxmemory_policy != "noeviction":
            policy = self.maxmemory_policy
            found.append(f"maxmemory-policy is {policy}, so Redis may throw accepted jobs away (noeviction)")
        return found


class PersistenceCheck:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._warned = threading.Event()

    def read(self) -> Persistence | None:
        """How the server keeps its data, None where it does not say; warns once of what may cost jobs.

        Raises StoreUnavailable.
        """
        found = self.ask()
        if found is not None and found.faults and not self._warned.is_set():
            self._warned.set()
            log.warning("REDIS IS NOT SET UP TO KEEP JOBS: %s", "; ".join(found.faults))
        return found

    def ask(self) -> Persistence | None:
        """The same without a warning: by INFO, which hosted servers answer where they forbid CONFIG."""
        try:
            with scripts.translated():
                saving, memory = self._client.info("persistence"), self._client.info("memory")
        except redis.ResponseError:
            return None
        if "aof_enabled" not in saving or "maxmemory_policy" not in memory:
            return None
        return Persistence(appendonly=bool(saving["aof_enabled"]), maxmemory_policy=str(memory["maxmemory_policy"]))
