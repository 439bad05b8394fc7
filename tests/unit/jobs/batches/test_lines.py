import pytest

from jobs import keys
from jobs.batches import lines as module
from jobs.batches.lines import line_number
from tests.fakes.batches import BatchBench, finish, request_line
from tests.fakes.bench import Bench


def test_a_lines_number_follows_from_its_batch_and_its_place() -> None:
    found = {line_number(batch, line) for batch in ("a" * 32, "b" * 32) for line in range(1, 100)}
    assert len(found) == 198
    assert all(len(number) == 32 and set(number) <= set("0123456789abcdef") for number in found)
    assert line_number("a" * 32, 1) == line_number("a" * 32, 1)


def test_lines_are_told_in_their_order_from_page_to_page(batches: BatchBench, bench: Bench) -> None:
    batch = batches.create([request_line(n, **({"top_p": 9} if n == 2 else {})) for n in range(1, 6)])
    batches.work()
    finish(bench, batches.numbers(batch, 1))
    now, after, seen = batches.now(batch), 0, []
    for _ in range(3):
        page = batches.lines.taken_up(now, after=after, limit=2)
        seen += [(line.line, line.custom_id, line.status) for line in page.lines]
        after = page.next_after
    assert not page.has_more
    assert seen == [
        (1, "line 1", "completed"),
        (2, "line 2", "failed"),
        (3, "line 3", "in_progress"),
        (4, "line 4", "in_progress"),
        (5, "line 5", "in_progress"),
    ]
    refused = batches.lines.taken_up(now, after=0, limit=10, status="failed").lines
    assert [line.refusal["status_code"] for line in refused if line.refusal] == [400]


def test_a_page_looks_at_so_many_and_says_that_there_may_be_more(
    batches: BatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_LOOKED_AT", 3)
    monkeypatch.setattr(module, "PAGE", 2)
    batch = batches.begun(4)
    page = batches.lines.taken_up(batch, after=0, limit=10, status="completed")
    assert (page.lines, page.next_after, page.has_more) == ([], 3, True)
    page = batches.lines.taken_up(batch, after=3, limit=10)
    assert ([line.line for line in page.lines], page.next_after, page.has_more) == ([4], 4, False)


def test_before_any_line_was_taken_up_there_is_none(batches: BatchBench) -> None:
    page = batches.lines.taken_up(batches.create([request_line(1)]), after=0, limit=10)
    assert (page.lines, page.has_more) == ([], False)


def test_a_portion_holds_answers_of_so_many_bytes_or_one_that_is_larger(
    batches: BatchBench, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = batches.begun(4)
    finish(bench, batches.numbers(batch, 3))
    size = batches.client.hstrlen(keys.job(batches.numbers(batch, 1)[0]), "response")
    for most, portions in ((2 * size, [[1, 2], [3, 4]]), (1, [[1], [2], [3], [4]])):
        monkeypatch.setattr(module, "PORTION_BYTES", most)
        assert list(batches.lines.portions(batch.number, [1, 2, 3, 4])) == portions
    page = batches.lines.taken_up(batches.now(batch), after=0, limit=9)
    assert [line.line for line in page.lines] == [1, 2, 3, 4]


def test_with_a_status_only_lines_that_may_be_so_are_read(batches: BatchBench, bench: Bench) -> None:
    batch = batches.create([request_line(1), request_line(2, top_p=9), request_line(3)])
    batches.work()
    finish(bench, batches.numbers(batch, 1))
    batches.store.cancel(batches.numbers(batch, 3)[2], project=None)
    found = {
        status: list(batches.lines.portions(batch.number, [1, 2, 3], status=status))
        for status in ("completed", "failed", "cancelled", "queued")
    }
    assert found == {"completed": [[1]], "failed": [[2]], "cancelled": [[3]], "queued": []}
