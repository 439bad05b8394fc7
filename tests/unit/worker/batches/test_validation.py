import json
from typing import Any

import pytest

from jobs.batches.input_file import RawLine
from tests.fakes.batches import request_line
from worker.batches import validation as module
from worker.batches.validation import Validation


def judged(*lines: Any) -> Validation:
    found = Validation(endpoint="/v1/responses", most_line_bytes=100)
    for number, line in enumerate(lines, start=1):
        data = line if isinstance(line, bytes | None) else json.dumps(line).encode()
        found.add(RawLine(line=number, end=0, data=data))
    found.close()
    return found


def told(found: Validation) -> list[tuple[Any, ...]]:
    return [(mistake["code"], mistake["line"], mistake["param"]) for mistake in found.mistakes]


def test_a_valid_file_is_told_by_how_many_it_holds_and_for_which_model() -> None:
    found = judged(request_line(1, model="m"), b"", request_line(2, model="m"))
    assert (found.mistakes, found.total, found.model) == ([], 2, "m")


def test_a_file_of_nothing_is_wrong() -> None:
    assert told(judged()) == told(judged(b"", b"")) == [("empty_file", None, None)]


def test_mistakes_are_told_by_the_lines_as_an_editor_counts_them() -> None:
    found = judged(request_line(1), b"", request_line(1), b"{", None, request_line(2, model="other"))
    assert told(found) == [
        ("duplicate_custom_id", 3, "custom_id"),
        ("invalid_json_line", 4, None),
        ("line_too_large", 5, None),
        ("mismatched_model", 6, "body.model"),
    ]


def test_so_many_requests_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    assert judged(request_line(1), b"", request_line(2)).mistakes == []
    found = judged(request_line(1), request_line(2), request_line(3))
    assert told(found) == [("too_many_lines", 3, None)]
    assert found.is_decided


def test_so_many_empty_lines_are_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_LINES", 2)
    assert judged(b"", request_line(1), b"").mistakes == []
    found = judged(b"", b"", b"")
    assert told(found) == [("too_many_lines", 3, None)]
    assert found.is_decided


def test_reading_stops_after_a_hundred_mistakes() -> None:
    found = judged(*[b"{"] * 99)
    assert not found.is_decided
    found = judged(*[b"{"] * 100)
    assert (found.is_decided, len(found.mistakes)) == (True, 100)
