"""Sessions that were ended before their time: one, or all that were begun with an API key."""

from __future__ import annotations

import redis

from jobs import keys, scripts


class SignOuts:
    """Names are whatever tells sessions apart. Moments are milliseconds of Redis's clock."""

    def __init__(self, client: redis.Redis, *, life_seconds: int) -> None:
        """No session lives longer than `life_seconds`."""
        self._client = client
        self._life_seconds = life_seconds

    def now(self) -> int:
        """Raises StoreUnavailable."""
        with scripts.translated():
            seconds, micros = self._client.time()
        return int(seconds) * 1000 + int(micros) // 1000

    def end(self, name: str) -> None:
        """What was begun under that name up to now is over. Raises StoreUnavailable."""
        now = self.now()
        with scripts.translated():
            self._client.set(keys.signed_out(name), now, ex=self._life_seconds)

    def ended(self, *names: str, begun: int) -> bool:
        """Whether what was begun then under these names is over by one of them. Raises StoreUnavailable."""
        with scripts.translated():
            found = self._client.mget([keys.signed_out(name) for name in names])
        return any(int(moment) >= begun for moment in found if moment)
