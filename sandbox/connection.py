"""The TCP connection a call came on, for what a web framework cannot do: to wait on it, and to cut it."""

import select
import socket
import time
from collections.abc import Mapping
from typing import Any


class Connection:
    """One caller's connection; `sock` is None where the server does not hand it out.

    `is_cut`: we ended it; `has_left`: the caller did, before the answer was whole.
    """

    def __init__(self, sock: socket.socket | None) -> None:
        self._sock = sock
        self.is_cut = False
        self.has_left = False

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> "Connection":
        """The connection of a WSGI request served by gunicorn or werkzeug."""
        return cls(environ.get("gunicorn.socket") or environ.get("werkzeug.socket"))

    def wait(self, seconds: float) -> bool:
        """Wait that long; True at once when the caller closes the connection meanwhile.

        The request must have been read whole. A caller that only shuts down its sending half counts as gone.
        """
        if seconds <= 0:
            return False
        deadline = time.monotonic() + seconds
        if self._sock is None or not self._readable_within(seconds):
            time.sleep(max(0.0, deadline - time.monotonic()))
            return False
        if self._is_at_end():
            self.has_left = True
            return True
        # Bytes of a next request lie in front of the end, so the end cannot be seen any more.
        time.sleep(max(0.0, deadline - time.monotonic()))
        return False

    def cut(self) -> None:
        """End the connection in both directions; what the server still wants to send goes nowhere."""
        self.is_cut = True
        if self._sock is None:
            return
        try:
            self._sock.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # the caller was faster

    def send(self, data: bytes) -> None:
        """Write past the server, which must not have begun its answer. Raises OSError when the caller left."""
        if self._sock is not None:
            self._sock.sendall(data)

    def _readable_within(self, seconds: float) -> bool:
        # poll, not select: with a thousand calls open the descriptors pass 1,023.
        poll = select.poll()
        poll.register(self._sock or -1, select.POLLIN)
        return bool(poll.poll(seconds * 1_000))

    def _is_at_end(self) -> bool:
        assert self._sock is not None  # nosec B101  # it is connected
        try:
            return self._sock.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            return True
