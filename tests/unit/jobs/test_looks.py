import threading
import time

import pytest

from jobs.errors import StoreUnavailable
from jobs.looks import Looks
from tests.fakes.waiting import wait_until


def test_who_asks_for_what_another_has_just_seen_is_told_that() -> None:
    looks, seen = Looks(), []
    for _ in range(3):
        assert looks.look("page", lambda: seen.append(1) or len(seen), since=time.monotonic() - 5) == 1  # type: ignore[func-returns-value]
    assert looks.look("other", lambda: "own", since=time.monotonic() - 5) == "own"


def test_what_was_seen_too_early_is_looked_at_anew() -> None:
    looks = Looks()
    looks.look("page", lambda: "old", since=time.monotonic())
    assert looks.look("page", lambda: "new", since=time.monotonic()) == "new"


def test_many_who_ask_at_once_look_once() -> None:
    looks, seen, since = Looks(), [], time.monotonic()
    gate = threading.Event()

    def look() -> int:
        gate.wait(5)
        seen.append(1)
        return len(seen)

    told: list[int] = []
    threads = [threading.Thread(target=lambda: told.append(looks.look("page", look, since=since))) for _ in range(20)]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join()
    assert told == [1] * 20


def test_what_was_seen_not_long_ago_will_do_for_those_who_say_so_and_is_looked_at_once_anew() -> None:
    looks, gate, seen = Looks(), threading.Event(), []
    early = time.monotonic()
    looks.look("page", lambda: "old", since=early)

    def slowly() -> str:
        seen.append(threading.current_thread().name)
        gate.wait(20)
        return "new"

    for _ in range(3):
        assert looks.look("page", slowly, since=time.monotonic(), meanwhile=early) == "old"
    gate.set()
    assert looks.look("page", slowly, since=early, meanwhile=time.monotonic()) in ("old", "new")
    wait_until(lambda: looks.look("page", slowly, since=early) == "new")
    assert seen == ["look"]


def test_a_look_on_its_own_thread_that_fails_is_told_to_whoever_asks_next() -> None:
    looks, early = Looks(), time.monotonic()
    looks.look("page", lambda: "old", since=early)

    def away() -> str:
        raise StoreUnavailable("away")

    assert looks.look("page", away, since=time.monotonic(), meanwhile=early) == "old"

    def failed() -> bool:
        try:
            return looks.look("page", away, since=early) is None
        except StoreUnavailable:
            return True

    wait_until(failed)
    assert looks.look("page", lambda: "new", since=time.monotonic()) == "new"


def test_a_store_that_was_away_is_not_asked_by_each_of_them() -> None:
    looks, asked, since = Looks(), [], time.monotonic() - 5

    def look() -> None:
        asked.append(1)
        raise StoreUnavailable("away")

    for _ in range(3):
        with pytest.raises(StoreUnavailable, match="away"):
            looks.look("page", look, since=since)
    assert len(asked) == 1


def test_another_failure_is_its_own() -> None:
    looks, since = Looks(), time.monotonic() - 5
    with pytest.raises(KeyError):
        looks.look("page", lambda: {}["x"], since=since)
    assert looks.look("page", lambda: "seen", since=since) == "seen"
