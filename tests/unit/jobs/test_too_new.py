"""Records that a newer release wrote, in a form that this one does not know: refused, and left as they are."""

from collections.abc import Callable

import pytest
import redis

from jobs import keys, record
from jobs.errors import JobNotFound, RecordTooNew
from jobs.listing import Listing
from jobs.upgrade import upgrade
from tests.fakes.bench import COMPLETED, FAILURE, UNSENT, Bench, answered

NEWER = record.SCHEMA + 1


def renew(bench: Bench, number: str) -> dict[bytes, bytes]:
    """Makes the record that of a newer release; what it holds then."""
    bench.client.hset(keys.job(number), "schema", NEWER)
    return record_of(bench, number)


def record_of(bench: Bench, number: str) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = bench.client.hgetall(keys.job(number))
    return found


def waiting(bench: Bench) -> str:
    return bench.submit(model="m", queue_deadline_seconds=1.0)


def delayed(bench: Bench) -> str:
    claim = bench.run_one(model="m")
    bench.runs().snooze(claim, UNSENT, delay_seconds=60, reason="later")
    return claim.number


def dispatched(bench: Bench) -> str:
    number = bench.submit(model="m")
    bench.beat("w1")
    bench.dispatch()
    return number


def running(bench: Bench) -> str:
    return bench.run_one(model="m").number


def failed(bench: Bench) -> str:
    claim = bench.run_one(model="m")
    bench.runs().finish(claim, FAILURE, answered(1))
    return claim.number


def completed(bench: Bench) -> str:
    claim = bench.run_one(model="m")
    bench.runs().finish(claim, COMPLETED, answered(1))
    return claim.number


in_every_stage = pytest.mark.parametrize("place", [waiting, delayed, dispatched, running, failed, completed])
Place = Callable[[Bench], str]


def test_a_new_record_says_in_which_form_it_is(bench: Bench) -> None:
    assert record_of(bench, bench.submit())[b"schema"] == str(record.SCHEMA).encode()


@pytest.mark.parametrize("schema", [None, 1, record.SCHEMA])
def test_forms_up_to_the_present_one_are_read(bench: Bench, schema: int | None) -> None:
    number = bench.submit(model="m")
    bench.client.hdel(keys.job(number), "schema")
    if schema is not None:
        bench.client.hset(keys.job(number), "schema", schema)
    assert bench.job(number).model == "m"
    bench.beat("w1")
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim()] == [number]


def test_one_that_was_taken_over_says_so_too(bench: Bench) -> None:
    number = bench.submit(model="m")
    bench.client.hdel(keys.job(number), "schema", "backlog")
    assert upgrade(bench.client) == 1
    assert record_of(bench, number)[b"schema"] == str(record.SCHEMA).encode()


@in_every_stage
def test_a_newer_one_is_refused_by_whatever_reads_or_changes_it(bench: Bench, place: Place) -> None:
    number = place(bench)
    before = renew(bench, number)
    store = bench.store
    for ask in (store.get, store.cancel, store.retry, store.delete, store.discard):
        with pytest.raises(RecordTooNew) as refused:
            ask(number, project="default")
        assert refused.value.job_id == f"job_{number}"
        with pytest.raises(JobNotFound):
            ask(number, project="other")
    with pytest.raises(RecordTooNew):
        store.get_all([bench.submit(), number])
    page = Listing(bench.client, store).page(project=None, limit=10)
    assert (len(page.jobs), page.left_out) == (1, [number])
    assert record_of(bench, number) == before


@in_every_stage
def test_workers_leave_a_newer_one_as_it_is_while_others_go_on(bench: Bench, place: Place) -> None:
    number = place(bench)
    before = renew(bench, number)
    bench.claim(nonce="another")
    bench.kill("w1")
    for index in ("delayed", "dispatched", "deadlines"):
        bench.make_due(index)
    bench.sweep()
    assert sum(bench.workers.scan()) == 0
    other = bench.submit(model="m")
    bench.beat("w2")
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim("w2")] == [other]
    assert record_of(bench, number) == before


def test_one_whose_time_has_come_holds_up_no_sweep(bench: Bench, store_client: redis.Redis) -> None:
    number = delayed(bench)
    renew(bench, number)
    bench.make_due("delayed")
    for _ in range(2):
        assert bench.sweep().due == 0
    (_, due), *others = store_client.zrange(keys.PREFIX + "delayed", 0, -1, withscores=True)
    assert not others
    assert due > store_client.time()[0] * 1000 + 50_000


@pytest.mark.parametrize("place", [waiting, dispatched, running])
def test_one_that_was_left_alone_goes_on_where_its_form_is_known(bench: Bench, place: Place) -> None:
    number = place(bench)
    renew(bench, number)
    bench.kill("w1")
    bench.make_due("dispatched")
    bench.sweep()
    bench.beat("w2")
    assert bench.dispatch().released == 0
    bench.client.hset(keys.job(number), "schema", record.SCHEMA)
    bench.make_due("dispatched")
    bench.sweep()
    assert sum(bench.workers.scan()) == (0 if place is dispatched else 1)
    assert bench.dispatch().released == 1
    assert [claim.number for claim in bench.claim("w2")] == [number]
