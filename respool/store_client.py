"""Redis itself, for the commands that go straight to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from jobs.connection import connect
from jobs.errors import SettingsError, StoreUnavailable
from jobs.limits import Limits, read_limits
from respool.errors import Unreachable, WrongSettings
from respool.target import Store, find_store
from respool.visible import in_one_line


@contextmanager
def opened_store(folder: Path | None) -> Iterator[tuple[redis.Redis, Store]]:
    """A client of the Redis that `find_store` names. Raises what that does, and Unreachable once it does not answer."""
    store = find_store(folder=folder)
    with connect(store.redis_url) as client:
        try:
            yield client, store
        except StoreUnavailable as error:
            if isinstance(error.__cause__, redis.AuthenticationError):
                raise _refused(error.__cause__) from error
            raise Unreachable("the Redis server does not answer; is the service running?") from error
        except redis.RedisError as error:
            raise _refused(error) from error


def _refused(error: Exception) -> Unreachable:
    return Unreachable(f"the Redis server refuses ({in_one_line(str(error))}); is RESPOOL_REDIS_URL right?")


def limits_of(store: Store) -> Limits:
    """What the service's limits file says now. Raises WrongSettings."""
    try:
        return read_limits(store.limits_file)
    except SettingsError as error:
        raise WrongSettings(str(error)) from error
