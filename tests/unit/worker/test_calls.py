import socket
import threading
import time
from collections.abc import Iterator

import pytest

from worker.calls import CANCELLED, OUT_OF_TIME, Call, Calls


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    left, right = socket.socketpair()
    with left, right:
        yield left, right


def test_hanging_up_wakes_whoever_reads(pair: tuple[socket.socket, socket.socket]) -> None:
    call, read = Call(seconds=60), []
    call.uses(pair[0])
    reader = threading.Thread(target=lambda: read.append(pair[0].recv(1)))
    reader.start()
    call.hang_up(CANCELLED)
    reader.join(10)
    assert read == [b""]
    assert pair[1].recv(1) == b""


def test_a_call_that_was_hung_up_gets_no_connection(pair: tuple[socket.socket, socket.socket]) -> None:
    call = Call(seconds=60)
    call.hang_up(CANCELLED)
    with pytest.raises(ConnectionAbortedError):
        call.uses(pair[0])
    assert not call.connected


def test_the_first_reason_stays(pair: tuple[socket.socket, socket.socket]) -> None:
    call = Call(seconds=60)
    call.uses(pair[0])
    call.hang_up(CANCELLED)
    call.hang_up(OUT_OF_TIME)
    assert call.hung_up == CANCELLED
    assert call.connected


def test_hanging_up_on_a_closed_connection_is_harmless(pair: tuple[socket.socket, socket.socket]) -> None:
    call = Call(seconds=60)
    call.uses(pair[0])
    pair[0].close()
    call.hang_up(CANCELLED)
    assert call.hung_up == CANCELLED


def test_a_call_is_overdue_when_its_seconds_have_passed() -> None:
    assert Call(seconds=0).overdue
    assert not Call(seconds=60).overdue


def test_only_overdue_calls_are_hung_up_for_it() -> None:
    calls, late, early = Calls(), Call(seconds=0), Call(seconds=60)
    calls.add("a", late)
    calls.add("b", early)
    calls.hang_up_overdue()
    assert (late.hung_up, early.hung_up) == (OUT_OF_TIME, None)


def test_a_call_is_found_by_its_job_until_it_is_removed() -> None:
    calls, call = Calls(), Call(seconds=60)
    calls.add("a", call)
    calls.hang_up("b", CANCELLED)
    assert call.hung_up is None
    calls.remove("a")
    calls.remove("a")
    calls.hang_up("a", CANCELLED)
    assert call.hung_up is None


def test_all_calls_can_be_hung_up_while_others_begin() -> None:
    calls, over = Calls(), threading.Event()

    def begin() -> None:
        number = 0
        while not over.is_set():
            number += 1
            calls.add(str(number), Call(seconds=60))

    beginner = threading.Thread(target=begin)
    beginner.start()
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        calls.hang_up_all("stopping")
    over.set()
    beginner.join()
