"""urllib3's connections and pools, for receivers whom nobody vouches for."""

from __future__ import annotations

from typing import Any, BinaryIO, ClassVar, cast

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager

from worker import calls
from worker.session import FinalResponse, FreshConnections, WatchedConnection, WatchedTlsConnection
from worker.webhooks.guard import Guard
from worker.webhooks.head import BoundedHead
from worker.webhooks.resting import Idle, Resting
from worker.webhooks.results import Error
from worker.webhooks.shortage import is_shortage
from worker.webhooks.unconnected import Unconnected


class GuardedPools(PoolManager):
    """Pools whose connections are all made by `guard`, and are silent for no longer than `silence_seconds`.

    `most_idle`: how many rest at a time, over all pools.
    """

    def __init__(self, guard: Guard, *, silence_seconds: float, most_idle: int, **options: Any) -> None:
        super().__init__(**options)
        self._guard = guard
        self._silence_seconds = silence_seconds
        self._idle = Idle(most=most_idle)
        self.pool_classes_by_scheme = {"http": _GuardedPool, "https": _GuardedTlsPool}

    def _new_pool(self, *args: Any, **options: Any) -> HTTPConnectionPool:
        pool = super()._new_pool(*args, **options)
        pool.conn_kw |= {"guard": self._guard, "silence_seconds": self._silence_seconds}
        pool.pool = cast(Any, Resting(self._idle))
        return pool

    def tidy(self) -> None:
        """Closes what rested too long, in every pool: one that is used no more would keep its connections for ever."""
        self._idle.tidy()

    def clear(self) -> None:
        super().clear()
        self._idle.clear()


class _BoundedResponse(FinalResponse):
    """An answer whose head, interim ones included, has a bound; what is odd in it is passed over in silence."""

    def begin(self) -> None:
        whole = self.fp
        self.fp = cast(BinaryIO, BoundedHead(whole))  # type: ignore[assignment]
        try:
            super().begin()
        finally:
            if self.fp is not None:
                self.fp = whole
        # urllib3 would log these, and with them the URL, as often as a receiver likes.
        self.headers.defects = []
        self.headers.set_payload("")


class _GuardedConnection(WatchedConnection):
    """Raises Unconnected, and nothing else, where no connection comes about."""

    response_class = _BoundedResponse
    scheme: ClassVar[str] = "http"
    broken: ClassVar[Error] = "connect_error"

    def __init__(self, *args: Any, guard: Guard, silence_seconds: float, **options: Any) -> None:
        super().__init__(*args, **options)
        self._guard = guard
        self._silence_seconds = silence_seconds

    def connect(self) -> None:
        try:
            super().connect()
            # What bounds connecting would bound all of the sending, too.
            if self.sock is not None:
                self.sock.settimeout(self._silence_seconds)
        except TimeoutError:
            raise Unconnected("connect_timeout") from None
        except OSError as error:
            raise Unconnected("too_many_open_files" if is_shortage(error) else self.broken) from None
        except ValueError:
            raise Unconnected(self.broken) from None

    def _new_conn(self) -> Any:
        call = calls.current.get()
        if call is None:
            raise RuntimeError("a receiver is connected to for a call alone")
        return self._guard.connect(self.host, self.port, scheme=self.scheme, call=call)


class _GuardedTlsConnection(_GuardedConnection, WatchedTlsConnection):
    scheme = "https"
    broken = "tls_error"

    def connect(self) -> None:
        self._handle: Any = None
        try:
            super().connect()
        finally:
            if self._handle is not None:
                self._handle.close()

    def _new_conn(self) -> Any:
        connection = super()._new_conn()
        # TLS takes the socket over before its handshake; a second handle lets the call hang up meanwhile.
        try:
            self._handle = connection.dup()
        except OSError:
            connection.close()
            raise
        call = calls.current.get()
        if call is not None:
            call.uses(self._handle)
        return connection


class _GuardedPool(FreshConnections):
    ConnectionCls = _GuardedConnection


class _GuardedTlsPool(FreshConnections, HTTPSConnectionPool):
    ConnectionCls = _GuardedTlsConnection
