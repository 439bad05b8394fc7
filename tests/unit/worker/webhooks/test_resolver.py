import socket
import threading
from typing import Any

import gevent
import pytest

from tests.fakes.waiting import wait_until
from worker.calls import STOPPING, Call
from worker.webhooks.resolver import Resolver, widen_resolver
from worker.webhooks.unconnected import Unconnected

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.2", 443))]


class Library:
    """Answers for names when it is told to; addresses, which other threads of the process ask for, it leaves alone."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answers = threading.Event()
        self._own = socket.getaddrinfo

    def look_up(self, host: str, *args: Any, **options: Any) -> list[Any]:
        if not host.endswith(".example"):
            return self._own(host, *args, **options)
        self.asked.append(host)
        self.answers.wait(30)
        return FOUND


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setattr(socket, "getaddrinfo", library.look_up)
    return library


def test_all_addresses_of_a_name_are_found(library: Library) -> None:
    library.answers.set()
    assert Resolver().look_up("a.example", 443, call=Call(seconds=60)) == ((socket.AF_INET, ("127.0.0.2", 443)),)


@pytest.mark.parametrize("error", [socket.gaierror(socket.EAI_NONAME, "?"), OSError(), UnicodeError()])
def test_a_name_that_is_not_known_is_a_dns_error(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unconnected) as caught:
        Resolver().look_up("a.example", 443, call=Call(seconds=60))
    assert caught.value.error == "dns_error"


def test_whoever_asks_goes_on_when_the_time_is_over_or_the_call_is_hung_up(library: Library) -> None:
    resolver, hung_up = Resolver(), Call(seconds=60)
    hung_up.hang_up(STOPPING)
    for call in (Call(seconds=0.2), hung_up):
        with pytest.raises(Unconnected):
            resolver.look_up("a.example", 443, call=call)
    library.answers.set()


def test_those_who_ask_together_share_one_look_up_and_the_next_has_its_own(library: Library) -> None:
    resolver, found = Resolver(), []
    askers = [
        threading.Thread(target=lambda: found.append(resolver.look_up("a.example", 443, call=Call(seconds=60))))
        for _ in range(5)
    ]
    for asker in askers:
        asker.start()
    wait_until(lambda: bool(library.asked))
    with pytest.raises(Unconnected):
        resolver.look_up("a.example", 443, call=Call(seconds=0.2))
    library.answers.set()
    for asker in askers:
        asker.join()
    assert len(found) == 5
    resolver.look_up("a.example", 443, call=Call(seconds=60))
    assert library.asked == ["a.example"] * 2


def test_without_gevent_there_is_nothing_to_widen() -> None:
    before = gevent.get_hub().threadpool.maxsize
    widen_resolver(threads=before + 1)
    assert gevent.get_hub().threadpool.maxsize == before
