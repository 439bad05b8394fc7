import random

import pytest

from jobs.errors import CursorNotFound
from jobs.listing import STATUSES, Listing
from tests.fakes.bench import ANSWERED, COMPLETED, Bench


@pytest.fixture
def listing(bench: Bench) -> Listing:
    return Listing(bench.client, bench.store)


def walk(listing: Listing, *, project: str | None, status: str | None, limit: int) -> list[str]:
    """The numbers of all pages, and the promise of each page about the next is checked on the way."""
    numbers: list[str] = []
    after = None
    while True:
        page = listing.page(project=project, status=status, limit=limit, after=after)
        assert len(page.jobs) == limit or not page.has_more
        numbers += [job.number for job in page.jobs]
        if not page.has_more:
            return numbers
        after = numbers[-1]


def fill(bench: Bench, count: int, chance: random.Random) -> list[tuple[str, str, str]]:
    """Jobs of several projects and statuses, newest first: number, project, status."""
    made = []
    for _ in range(count):
        project = chance.choice("pqr")
        number = bench.submit(project=project)
        made.append((number, project))
    bench.beat("w1", slots=count // 3)
    bench.dispatch()
    for claim in bench.claim():
        if chance.random() < 0.5:
            bench.runs().finish(claim, COMPLETED, ANSWERED)
    for number, _ in made:
        if chance.random() < 0.2:
            bench.store.cancel(number, project=None)
    return [(number, project, bench.job(number).status) for number, project in reversed(made)]


@pytest.mark.parametrize("limit", [1, 7, 100])
def test_pages_of_any_size_hold_every_job_once_newest_first(bench: Bench, listing: Listing, limit: int) -> None:
    made = fill(bench, 60, random.Random(limit))
    assert {status for _, _, status in made} == {"queued", "in_progress", "completed", "cancelled"}
    for project in (None, "p", "q", "none"):
        for status in (None, *STATUSES):
            wanted = [n for n, p, s in made if project in (None, p) and status in (None, s)]
            assert walk(listing, project=project, status=status, limit=limit) == wanted


def test_a_full_last_page_promises_no_more(bench: Bench, listing: Listing) -> None:
    numbers = [bench.submit() for _ in range(4)]
    page = listing.page(project=None, status=None, limit=4, after=None)
    assert ([job.number for job in page.jobs], page.has_more) == (numbers[::-1], False)


def test_jobs_that_come_while_one_pages_do_not_shift_the_pages(bench: Bench, listing: Listing) -> None:
    old = [bench.submit() for _ in range(4)]
    first = listing.page(project=None, status=None, limit=2, after=None)
    bench.submit()
    bench.store.cancel(old[1], project=None)
    second = listing.page(project=None, status=None, limit=2, after=first.jobs[-1].number)
    assert [job.number for job in second.jobs] == [old[1], old[0]]


def test_a_cursor_may_have_another_status_than_is_asked_for(bench: Bench, listing: Listing) -> None:
    numbers = [bench.submit() for _ in range(3)]
    bench.store.cancel(numbers[1], project=None)
    page = listing.page(project=None, status="queued", limit=9, after=numbers[1])
    assert [job.number for job in page.jobs] == [numbers[0]]


def test_a_cursor_that_is_gone_or_anothers_is_told(bench: Bench, listing: Listing) -> None:
    number = bench.submit(project="p")
    with pytest.raises(CursorNotFound):
        listing.page(project="q", status=None, limit=1, after=number)
    bench.store.cancel(number, project=None)
    bench.store.delete(number, project=None)
    with pytest.raises(CursorNotFound):
        listing.page(project=None, status=None, limit=1, after=number)


def test_without_jobs_there_is_an_empty_page(listing: Listing) -> None:
    page = listing.page(project=None, status=None, limit=5, after=None)
    assert (page.jobs, page.has_more) == ([], False)
