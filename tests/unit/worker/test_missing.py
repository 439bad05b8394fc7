from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.calls import Calls
from worker.crew import Claimed, Crew
from worker.missing import CHECK_BEATS, Missing


@dataclass
class Book:
    """A ledger that says what a test wants."""

    held: set[str] = field(default_factory=set)
    given_back: list[tuple[str, list[str]]] = field(default_factory=list)

    def held_by(self, process_id: str, /) -> set[str]:
        return set(self.held)

    def give_back(self, process_id: str, numbers: Sequence[str], /) -> int:
        self.given_back.append((process_id, list(numbers)))
        self.held -= set(numbers)
        return len(numbers)


def idle_crew() -> Crew[Claimed]:
    return Crew(lambda numbers, /, *, dispatch, nonce: [], lambda claim: None, Calls(), slots=1)


def look(missing: Missing) -> None:
    for _ in range(CHECK_BEATS):
        missing.beat()


def test_what_is_missing_at_two_looks_is_given_back_once() -> None:
    book = Book(held={"b", "a"})
    missing = Missing(book, idle_crew(), process_id="p")
    look(missing)
    assert book.given_back == []
    look(missing)
    look(missing)
    assert book.given_back == [("p", ["a", "b"])]


def test_what_is_missing_at_every_other_look_stays() -> None:
    book = Book()
    missing = Missing(book, idle_crew(), process_id="p")
    for held in ({"a"}, {"b"}, {"a"}, set[str]()):
        book.held = held
        look(missing)
    assert book.given_back == []
