"""The proxy that chaos is made with does what it says."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.fakes.fault_proxy import FaultProxy, Trouble, running_proxy
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.timeout(60)


def _echo(listener: socket.socket) -> None:
    with suppress(OSError):
        while True:
            caller, _ = listener.accept()
            threading.Thread(target=_serve, args=(caller,), daemon=True).start()


def _serve(caller: socket.socket) -> None:
    with suppress(OSError), caller:
        while piece := caller.recv(65536):
            caller.sendall(piece)


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """In front of a server that sends back what it gets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_echo, args=(listener,), daemon=True).start()
        with running_proxy(listener.getsockname()[1]) as proxy:
            yield proxy
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def caller(proxy: FaultProxy) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as connection:
        yield connection


def told_back(caller: socket.socket, text: bytes) -> bytes:
    caller.sendall(text)
    found = b""
    while len(found) < len(text) and (piece := caller.recv(65536)):
        found += piece
    return found


def read_to_the_end(caller: socket.socket, found: bytearray) -> None:
    while piece := caller.recv(5):
        found += piece


def hear_of_it(proxy: FaultProxy) -> None:
    """A reset may come as soon as the connection stands, or with the first read."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as caller:
        caller.recv(1)


def silent(caller: socket.socket, *, seconds: float = 0.3) -> bool:
    caller.settimeout(seconds)
    try:
        caller.recv(1)
    except TimeoutError:
        return True
    finally:
        caller.settimeout(10)
    return False


def test_without_trouble_everything_passes_and_an_end_is_passed_on(proxy: FaultProxy, caller: socket.socket) -> None:
    text = b"x" * 1_000_000
    sending = threading.Thread(target=caller.sendall, args=(text,))
    sending.start()
    found = 0
    while found < len(text):
        found += len(caller.recv(65536))
    sending.join()
    caller.shutdown(socket.SHUT_WR)
    assert caller.recv(1) == b""
    wait_until(lambda: not proxy.links)


@pytest.mark.parametrize(
    "slow", [Trouble(delay_seconds=0.2), Trouble(bytes_per_second=25), Trouble(delay_seconds=0.2, jitter_seconds=0.1)]
)
def test_latency_and_bandwidth_hold_each_piece_back(proxy: FaultProxy, caller: socket.socket, slow: Trouble) -> None:
    proxy.trouble(down=slow)
    begun = time.monotonic()
    assert told_back(caller, b"hello") == b"hello"
    assert time.monotonic() - begun >= 0.2


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_black_hole_in_one_direction_holds_everything_until_it_is_healed(
    proxy: FaultProxy, caller: socket.socket, way: str
) -> None:
    proxy.trouble(**{way: Trouble(black_hole=True)})
    caller.sendall(b"hello")
    assert silent(caller)
    proxy.heal()
    assert caller.recv(5) == b"hello"


def test_a_reset_is_a_reset_for_connections_that_live_and_for_no_others(
    proxy: FaultProxy, caller: socket.socket
) -> None:
    assert told_back(caller, b"hello") == b"hello"
    assert proxy.reset() == 1
    with pytest.raises(ConnectionResetError):
        caller.recv(1)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=10) as second:
        assert told_back(second, b"hello") == b"hello"


def test_a_connection_in_a_black_hole_can_be_reset(proxy: FaultProxy, caller: socket.socket) -> None:
    proxy.trouble(up=Trouble(black_hole=True), down=Trouble(black_hole=True))
    caller.sendall(b"hello")
    wait_until(lambda: len(proxy.links) == 1)
    proxy.reset()
    with pytest.raises(ConnectionResetError):
        caller.recv(1)


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_connection_is_cut_after_so_many_bytes(proxy: FaultProxy, caller: socket.socket, way: str) -> None:
    proxy.trouble(**{way: Trouble(cut_after_bytes=3)})
    caller.sendall(b"hello")
    with pytest.raises(ConnectionResetError):
        read_to_the_end(caller, arrived := bytearray())
    assert b"hel".startswith(arrived)


def test_where_nobody_listens_callers_are_reset() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with running_proxy(port) as proxy, pytest.raises(ConnectionResetError):
        hear_of_it(proxy)
