import socket
import threading
from collections.abc import Iterator

import pytest

from sandbox.connection import Connection


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """(the server's end, the caller's end)"""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        caller = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        with caller, server:
            yield server, caller


def test_waiting_ends_at_once_when_the_caller_leaves(pair: tuple[socket.socket, socket.socket]) -> None:
    server, caller = pair
    connection, left = Connection(server), []
    waiter = threading.Thread(target=lambda: left.append(connection.wait(60)))
    waiter.start()
    caller.close()
    waiter.join(30)
    assert left == [True]
    assert connection.has_left


def test_waiting_for_a_caller_that_stays_ends_by_the_clock(pair: tuple[socket.socket, socket.socket]) -> None:
    connection = Connection(pair[0])
    assert not connection.wait(0.01)
    assert not connection.wait(0)
    assert not connection.has_left


def test_bytes_of_a_next_request_are_no_leaving_and_stay_there(pair: tuple[socket.socket, socket.socket]) -> None:
    server, caller = pair
    caller.sendall(b"GET")
    assert not Connection(server).wait(0.01)
    assert server.recv(3) == b"GET"


def test_a_cut_ends_the_callers_reading_after_what_was_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    server, caller = pair
    connection = Connection(server)
    connection.send(b"abc")
    connection.cut()
    connection.cut()
    assert connection.is_cut
    caller.settimeout(30)
    assert (caller.recv(9), caller.recv(9)) == (b"abc", b"")


def test_a_connection_out_of_reach_only_waits() -> None:
    connection = Connection.of({})
    assert not connection.wait(0.001)
    connection.send(b"abc")
    connection.cut()
    assert connection.is_cut
