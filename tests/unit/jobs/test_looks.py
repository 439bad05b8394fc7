import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jobs.errors import StoreUnavailable
from jobs.looks import Looks


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


def test_while_another_looks_what_was_seen_not_long_ago_will_do_for_those_who_say_so() -> None:
    looks, looking, gate = Looks(), threading.Event(), threading.Event()
    early = time.monotonic()
    looks.look("page", lambda: "old", since=early)

    def slowly() -> str:
        looking.set()
        gate.wait(20)
        return "new"

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(looks.look, "page", slowly, since=time.monotonic())
        assert looking.wait(20)
        now = time.monotonic()
        assert looks.look("page", slowly, since=now, meanwhile=early) == "old"
        second = threads.submit(looks.look, "page", slowly, since=early, meanwhile=now)
        gate.set()
        assert (first.result(20), second.result(20)) == ("new", "new")
    assert looks.look("page", lambda: "newest", since=time.monotonic(), meanwhile=early) == "newest"


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
