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
    calls.add("a", 1, late)
    calls.add("a", 2, early)
    calls.hang_up_overdue()
    assert (late.hung_up, early.hung_up) == (OUT_OF_TIME, None)


def test_hanging_up_on_a_job_ends_the_calls_of_all_its_attempts_and_no_others() -> None:
    calls, made = Calls(), [Call(seconds=60) for _ in range(3)]
    for (number, attempt), call in zip([("a", 1), ("a", 2), ("b", 1)], made, strict=True):
        calls.add(number, attempt, call)
    calls.hang_up("a", CANCELLED)
    assert [call.hung_up for call in made] == [CANCELLED, CANCELLED, None]


def test_the_end_of_one_attempt_leaves_the_other_in_its_place() -> None:
    calls, first, second = Calls(), Call(seconds=60), Call(seconds=60)
    calls.add("a", 1, first)
    calls.add("a", 2, second)
    calls.remove("a", 1)
    calls.hang_up("a", CANCELLED)
    assert (first.hung_up, second.hung_up) == (None, CANCELLED)


def test_a_call_is_found_by_its_job_until_it_is_removed() -> None:
    calls, call = Calls(), Call(seconds=60)
    calls.add("a", 1, call)
    calls.hang_up("b", CANCELLED)
    assert call.hung_up is None
    calls.remove("a", 1)
    calls.remove("a", 1)
    calls.hang_up("a", CANCELLED)
    assert call.hung_up is None


def test_all_calls_can_be_hung_up_while_others_begin() -> None:
    calls, over = Calls(), threading.Event()

    def begin() -> None:
        number = 0
        while not over.is_set():
            number += 1
            calls.add(str(number), 1, Call(seconds=60))

    beginner = threading.Thread(target=begin)
    beginner.start()
    until = time.monotonic() + 0.1
    while time.monotonic() < until:
        calls.hang_up_all("stopping")
    over.set()
    beginner.join()


def test_a_wait_lasts_its_time_or_until_the_call_is_hung_up() -> None:
    call, waited = Call(seconds=60), []
    assert not call.wait(0.001)
    waiter = threading.Thread(target=lambda: waited.append(call.wait(1000)))
    waiter.start()
    call.hang_up(CANCELLED)
    waiter.join(10)
    assert waited == [True]
    assert call.wait(1000)


def test_a_connection_that_the_call_left_is_not_shut_with_it(pair: tuple[socket.socket, socket.socket]) -> None:
    call = Call(seconds=60)
    call.uses(pair[0])
    call.leaves()
    call.hang_up(CANCELLED)
    pair[0].sendall(b"x")
    assert pair[1].recv(1) == b"x"
    assert call.connected
