import random

import pytest

from jobs import keys
from jobs.errors import CursorNotFound
from jobs.job_filter import EVERY_JOB, JobFilter
from jobs.listing import STATUSES, Listing
from tests.fakes.bench import ANSWERED, COMPLETED, Bench


@pytest.fixture
def listing(bench: Bench) -> Listing:
    return Listing(bench.client, bench.store)


def of(status: str | None) -> JobFilter:
    return JobFilter(statuses=(status,)) if status else EVERY_JOB


def walk(listing: Listing, *, project: str | None, status: str | None, limit: int) -> list[str]:
    """The numbers of all pages, and the promise of each page about the next is checked on the way."""
    numbers: list[str] = []
    after = None
    while True:
        page = listing.page(project=project, wanted=of(status), limit=limit, after=after)
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
    page = listing.page(project=None, limit=4)
    assert ([job.number for job in page.jobs], page.has_more) == (numbers[::-1], False)


def test_jobs_that_come_while_one_pages_do_not_shift_the_pages(bench: Bench, listing: Listing) -> None:
    old = [bench.submit() for _ in range(4)]
    first = listing.page(project=None, limit=2)
    bench.submit()
    bench.store.cancel(old[1], project=None)
    second = listing.page(project=None, limit=2, after=first.jobs[-1].number)
    assert [job.number for job in second.jobs] == [old[1], old[0]]


def test_a_cursor_may_have_another_status_than_is_asked_for(bench: Bench, listing: Listing) -> None:
    numbers = [bench.submit() for _ in range(3)]
    bench.store.cancel(numbers[1], project=None)
    page = listing.page(project=None, wanted=of("queued"), limit=9, after=numbers[1])
    assert [job.number for job in page.jobs] == [numbers[0]]


def test_a_cursor_that_is_gone_or_anothers_is_told(bench: Bench, listing: Listing) -> None:
    number = bench.submit(project="p")
    with pytest.raises(CursorNotFound):
        listing.page(project="q", limit=1, after=number)
    bench.store.cancel(number, project=None)
    bench.store.delete(number, project=None)
    with pytest.raises(CursorNotFound):
        listing.page(project=None, limit=1, after=number)


def test_without_jobs_there_is_an_empty_page(listing: Listing) -> None:
    page = listing.page(project=None, limit=5)
    assert (page.jobs, page.has_more) == ([], False)


def found(listing: Listing, wanted: JobFilter, *, limit: int = 100, project: str | None = "p") -> list[str]:
    """The numbers of all pages, gone through by what each page says is its last."""
    numbers: list[str] = []
    page = listing.page(project=project, wanted=wanted, limit=limit)
    while True:
        assert len(page.jobs) <= limit
        numbers += [job.number for job in page.jobs]
        if not page.has_more:
            return numbers
        page = listing.page(project=project, wanted=wanted, limit=limit, after=page.last)


@pytest.mark.parametrize("limit", [1, 3, 100])
def test_every_filter_and_all_together_find_the_jobs_that_have_it(bench: Bench, listing: Listing, limit: int) -> None:
    chance = random.Random(limit)
    made = []
    for _ in range(80):
        model, metadata = chance.choice("mno"), {key: chance.choice("12") for key in "ab" if chance.random() < 0.8}
        number = bench.submit(project="p", model=model, metadata=metadata)
        if chance.random() < 0.4:
            bench.store.cancel(number, project=None)
        made.append(number)
    bench.submit(project="q", model="m", metadata={"a": "1", "b": "1"})
    jobs = [bench.job(number) for number in reversed(made)]
    since, until = jobs[60].created_at, jobs[20].created_at
    for wanted, meant in (
        (JobFilter(model="m"), lambda job: job.model == "m"),
        (JobFilter(model="absent"), lambda _: False),
        (JobFilter(metadata=(("a", "1"),)), lambda job: job.metadata.get("a") == "1"),
        (JobFilter(metadata=(("a", "1"), ("b", "2"))), lambda job: job.metadata == {"a": "1", "b": "2"}),
        (JobFilter(metadata=(("a", "1"), ("a", "2"))), lambda _: False),
        (JobFilter(since=since), lambda job: job.created_at >= since),
        (JobFilter(until=until), lambda job: job.created_at < until),
        (JobFilter(since=since, until=until), lambda job: since <= job.created_at < until),
        (JobFilter(statuses=("queued", "failed")), lambda job: job.status == "queued"),
        (
            JobFilter(statuses=("cancelled", "queued"), model="n", metadata=(("b", "1"),), since=since, until=until),
            lambda job: job.model == "n" and job.metadata.get("b") == "1" and since <= job.created_at < until,
        ),
    ):
        assert found(listing, wanted, limit=limit) == [job.number for job in jobs if meant(job)], wanted


def test_metadata_of_any_characters_is_found(bench: Bench, listing: Listing) -> None:
    number = bench.submit(project="p", metadata={'k "\\é': "🙂\n"})
    assert found(listing, JobFilter(metadata=(('k "\\é', "🙂\n"),))) == [number]
    assert found(listing, JobFilter(metadata=(('k "\\é', "🙂"),))) == []


def test_jobs_of_the_same_microsecond_are_each_found_once(bench: Bench, listing: Listing) -> None:
    numbers = [bench.submit(project="p", model="m") for _ in range(150)]
    bench.client.zadd(keys.index("p", "queued"), dict.fromkeys(numbers, 7))
    for number in numbers:
        bench.client.hset(keys.job(number), "created", 7)
    assert found(listing, JobFilter(model="m"), limit=40) == sorted(numbers, reverse=True)


def test_a_page_looks_through_so_many_records_and_tells_where_to_go_on(
    bench: Bench, listing: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [bench.submit(project="p", model="rare" if n == 0 else "m") for n in range(130)]
    monkeypatch.setattr("jobs.listing.MOST_LOOKED_AT", 100)
    page = listing.page(project="p", wanted=JobFilter(model="rare"), limit=5)
    assert (page.jobs, page.last, page.has_more) == ([], numbers[30], True)
    rest = listing.page(project="p", wanted=JobFilter(model="rare"), limit=5, after=page.last)
    assert ([job.number for job in rest.jobs], rest.has_more) == ([numbers[0]], False)


def test_a_full_last_page_of_a_filter_promises_no_more(bench: Bench, listing: Listing) -> None:
    numbers = [bench.submit(project="p", model=model) for model in "mnmn"]
    page = listing.page(project="p", wanted=JobFilter(model="m"), limit=2)
    assert ([job.number for job in page.jobs], page.has_more) == ([numbers[2], numbers[0]], False)


def test_what_was_deleted_while_it_ran_is_not_found(bench: Bench, listing: Listing) -> None:
    claim = bench.run_one(project="p", model="m")
    bench.store.discard(claim.number, project="p")
    assert found(listing, JobFilter(model="m")) == []
