"""A TCP proxy on loopback between two parts; how it misbehaves is changed while connections run through it."""

import random
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

PIECE_BYTES = 65536
LOOK_SECONDS = 0.5
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER that has a close tell the peer of a reset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What becomes of the bytes of one direction.

    Each piece that is read waits `delay_seconds`, up to `jitter_seconds` more, and as long as its bytes take. A black
    hole holds everything until it is healed, as packets that are sent again and again do. A connection is reset when
    `cut_after_bytes` of it have passed.
    """

    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    bytes_per_second: float = float("inf")
    black_hole: bool = False
    cut_after_bytes: int | None = None


CALM = Trouble()


class _Link:
    """One caller's connection and ours to the target; whoever is done last closes both."""

    def __init__(self, caller: socket.socket, target: socket.socket) -> None:
        self.ends = (caller, target)
        self.broken = threading.Event()
        self._pumping = 2
        self._lock = threading.Lock()

    def reset(self) -> None:
        """Has both ends see a reset, however little they read."""
        self.broken.set()
        for end in self.ends:
            with suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes whoever reads here, and tells the peer nothing

    def leave(self) -> bool:
        """Whether this closed the link."""
        with self._lock:
            self._pumping -= 1
            over = self._pumping == 0
        if over:
            for end in self.ends:
                end.close()
        return over


@dataclass(slots=True, kw_only=True)
class FaultProxy:
    """`up` holds from callers to the target, `down` for the way back; `links` are the connections that live."""

    target_port: int
    port: int = 0
    up: Trouble = CALM
    down: Trouble = CALM
    links: set[_Link] = field(default_factory=set)
    changed: threading.Condition = field(default_factory=threading.Condition)
    dice: random.Random = field(default_factory=random.Random)

    def trouble(self, *, up: Trouble = CALM, down: Trouble = CALM) -> None:
        """From now on, also for connections that live; what is not said is calm."""
        with self.changed:
            self.up, self.down = up, down
            self.changed.notify_all()

    def heal(self) -> None:
        self.trouble()

    def reset(self) -> int:
        """Resets all connections; how many there were."""
        links = list(self.links)
        for link in links:
            link.reset()
        with self.changed:
            self.changed.notify_all()
        return len(links)

    def serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caller, _ = listener.accept()
                self._join(caller)

    def _join(self, caller: socket.socket) -> None:
        try:
            target = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
        except OSError:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            caller.close()
            return
        link = _Link(caller, target)
        self.links.add(link)
        for end in link.ends:
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            end.settimeout(LOOK_SECONDS)
        for source, sink, way in ((caller, target, "up"), (target, caller, "down")):
            threading.Thread(target=self._pump, args=(link, source, sink, way), daemon=True).start()

    def _pump(self, link: _Link, source: socket.socket, sink: socket.socket, way: str) -> None:
        passed = 0
        with suppress(OSError):
            while piece := _read(source, link):
                trouble = self._delayed(link, way, len(piece))
                most = trouble.cut_after_bytes
                _write(sink, piece if most is None else piece[: max(0, most - passed)], link)
                passed += len(piece)
                if most is not None and passed >= most:
                    link.reset()
        with suppress(OSError):
            if not link.broken.is_set():
                sink.shutdown(socket.SHUT_WR)
        if link.leave():
            self.links.discard(link)

    def _delayed(self, link: _Link, way: str, size: int) -> Trouble:
        """What holds for the piece, once its time has come."""
        with self.changed:
            self.changed.wait_for(lambda: link.broken.is_set() or not getattr(self, way).black_hole)
        trouble: Trouble = getattr(self, way)
        jitter = self.dice.uniform(0, trouble.jitter_seconds) if trouble.jitter_seconds else 0.0
        if pause := trouble.delay_seconds + jitter + size / trouble.bytes_per_second:
            link.broken.wait(pause)
        return trouble


def _read(source: socket.socket, link: _Link) -> bytes:
    """The next piece; nothing at the end, or once the link is broken."""
    while not link.broken.is_set():
        try:
            return source.recv(PIECE_BYTES)
        except TimeoutError:
            continue
    return b""


def _write(sink: socket.socket, piece: bytes, link: _Link) -> None:
    view = memoryview(piece)
    while view and not link.broken.is_set():
        with suppress(TimeoutError):
            view = view[sink.send(view) :]


@contextmanager
def running_proxy(target_port: int) -> Iterator[FaultProxy]:
    """A proxy to that port of loopback; what is left of its connections is reset at the end."""
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as listener:
        proxy = FaultProxy(target_port=target_port, port=listener.getsockname()[1])
        accepting = threading.Thread(target=proxy.serve, args=(listener,), daemon=True)
        accepting.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            _end(proxy)


def _end(proxy: FaultProxy) -> None:
    deadline = time.monotonic() + 5
    while proxy.links and time.monotonic() < deadline:
        proxy.heal()
        proxy.reset()
        time.sleep(0.01)
