import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
import redis

from jobs import keys
from jobs.closings import End
from jobs.connection import connect
from jobs.errors import (
    DurabilityUnconfirmed,
    IdempotencyConflict,
    IdempotencyGone,
    JobNotEnded,
    JobNotFound,
    QueueFull,
    StoreUnavailable,
)
from jobs.event_log import appending
from jobs.headroom import Headroom
from jobs.record import Stage
from jobs.scripts import Call, run
from jobs.store import JobStore, Sameness, Submitted
from tests.factories import new_job, unique
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.redis_server import free_port, running_redis
from tests.fakes.waiting import wait_until

DAY = 86400


def keyed(key: str, *, digest: str = "ab12") -> Sameness:
    return Sameness(digest=digest, key=key)


def the_same_as(number: str) -> Submitted:
    return Submitted(number=number, headroom=Headroom())


def test_a_job_reads_back_as_it_was_accepted(bench: Bench) -> None:
    number = bench.submit(
        metadata={"a": "ü"}, echo='{"model":"m"}', max_attempts=7, on_unknown="fail", queue_deadline_seconds=1.5,
        run_timeout_seconds=2.5, project="p", api_key="k",
    )  # fmt: skip
    job = bench.job(number)
    assert (job.status, job.stage, job.project, job.api_key) == ("queued", Stage.WAITING, "p", "k")
    assert (job.metadata, job.echo, job.max_attempts, job.on_unknown) == ({"a": "ü"}, {"model": "m"}, 7, "fail")
    assert (job.queue_deadline_seconds, job.run_timeout_seconds) == (1.5, 2.5)
    assert (job.started_at, job.finished_at, job.expires_at, job.attempts) == (None, None, None, [])
    seconds, micros = bench.client.time()
    assert 0 <= seconds + micros / 1e6 - job.created_at < 60


def test_two_hundred_submits_at_once_with_one_key_are_one_job(bench: Bench) -> None:
    with ThreadPoolExecutor(50) as threads:
        answers = list(threads.map(lambda _: bench.store.submit(new_job(), keyed("k")), range(200)))
    assert len({answer.number for answer in answers}) == 1
    assert sorted(answer.created for answer in answers) == [False] * 199 + [True]
    assert len(list(bench.client.scan_iter(match=keys.job("*")))) == 1
    assert bench.count("queued_bytes") == new_job().fields()["request_bytes"]


def test_a_key_with_another_body_is_a_conflict_that_names_the_first_job(bench: Bench) -> None:
    first = bench.store.submit(new_job(), keyed("k", digest="aa"))
    with pytest.raises(IdempotencyConflict) as caught:
        bench.store.submit(new_job(), keyed("k", digest="bb"))
    assert caught.value.job_id == f"job_{first.number}"


def test_another_project_may_use_the_same_key(bench: Bench) -> None:
    answers = [bench.store.submit(new_job(project=name), keyed("k")) for name in ("p", "q")]
    assert [answer.created for answer in answers] == [True, True]


def test_a_key_still_names_its_job_after_the_end_for_a_day_from_the_submit(bench: Bench) -> None:
    first = bench.store.submit(new_job(), keyed("k")).number
    (key,) = bench.client.scan_iter(match=keys.PREFIX + "idempotency:*")
    assert bench.client.ttl(key) == -1
    bench.store.cancel(first, project=None)
    assert DAY - 60 < bench.client.ttl(key) <= DAY
    assert bench.store.submit(new_job(), keyed("k")) == the_same_as(first)


def test_deleting_a_job_whose_key_ran_out_leaves_the_key_to_the_job_that_has_it_now(bench: Bench) -> None:
    first = bench.store.submit(new_job(), keyed("k")).number
    bench.store.cancel(first, project=None)
    bench.client.delete(next(bench.client.scan_iter(match=keys.PREFIX + "idempotency:*")))
    second = bench.store.submit(new_job(), keyed("k")).number
    bench.store.delete(first, project=None)
    assert bench.store.submit(new_job(), keyed("k")) == the_same_as(second)


def test_no_key_stands_in_redis_as_the_caller_wrote_it(bench: Bench) -> None:
    bench.store.submit(new_job(), keyed("order-4711"))
    assert not any("4711" in key for key in bench.all_keys())


def test_a_marked_repeat_with_the_same_body_is_the_same_job_for_a_quarter_of_an_hour(bench: Bench) -> None:
    first = bench.store.submit(new_job(), Sameness(digest="ab", retries=0))
    assert bench.store.submit(new_job(), Sameness(digest="ab", retries=1)) == the_same_as(first.number)
    (key,) = bench.client.scan_iter(match=keys.PREFIX + "repeat:*")
    assert 890 < bench.client.ttl(key) <= 900


@pytest.mark.parametrize(
    ("project", "again"),
    [
        ("default", Sameness(digest="ab", retries=0)),
        ("default", Sameness(digest="ab")),
        ("default", Sameness(digest="cd", retries=1)),
        ("other", Sameness(digest="ab", retries=1)),
        ("default", Sameness(digest="ab", retries=1, key="k")),
    ],
)
def test_what_is_no_marked_repeat_of_the_same_work_is_a_new_job(bench: Bench, project: str, again: Sameness) -> None:
    bench.store.submit(new_job(), Sameness(digest="ab", retries=0))
    assert bench.store.submit(new_job(project=project), again).created


def test_a_repeat_whose_first_never_arrived_is_accepted_and_remembered(bench: Bench) -> None:
    first = bench.store.submit(new_job(), Sameness(digest="ab", retries=1))
    second = bench.store.submit(new_job(), Sameness(digest="ab", retries=2))
    assert (first.created, second.created, second.number) == (True, False, first.number)


def test_the_queue_holds_so_many_bytes_and_has_room_again_when_a_job_ends(bench: Bench) -> None:
    store = JobStore(bench.client, max_queued_bytes=100)
    first = store.submit(new_job(body=b"x" * 60, echo=""), unique()).number
    store.submit(new_job(body=b"x" * 40, echo=""), unique())
    with pytest.raises(QueueFull, match="100"):
        store.submit(new_job(body=b"x", echo=""), unique())
    assert len(list(bench.client.scan_iter(match=keys.job("*")))) == 2
    store.cancel(first, project=None)
    assert store.submit(new_job(body=b"x" * 60, echo=""), unique()).created


def test_a_job_in_progress_still_counts_as_queued_bytes(bench: Bench) -> None:
    claim = bench.run_one(body=b"x" * 60, echo="")
    assert bench.count("queued_bytes") == 60
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    assert bench.count("queued_bytes") == 0


def test_a_full_queue_does_not_keep_the_idempotency_key(bench: Bench) -> None:
    with pytest.raises(QueueFull):
        JobStore(bench.client, max_queued_bytes=1).submit(new_job(), keyed("k"))
    assert bench.store.submit(new_job(), keyed("k", digest="ff")).created


def test_another_projects_job_does_not_exist(bench: Bench) -> None:
    number = bench.submit(project="p")
    for act in (bench.store.get, bench.store.cancel, bench.store.delete):
        with pytest.raises(JobNotFound):
            act(number, project="q")
    assert bench.job(number).status == "queued"
    assert bench.store.cancel(number, project="p").status == "cancelled"


def test_a_job_that_waits_or_ended_is_discarded_at_once(bench: Bench) -> None:
    bare = bench.all_keys()
    claim = bench.run_one()
    bench.runs().finish(claim, COMPLETED, ANSWERED)
    for number in (claim.number, bench.submit()):
        bench.store.discard(number, project=None)
        assert not bench.client.exists(keys.job(number), keys.attempts(number))
        with pytest.raises(JobNotFound):
            bench.store.discard(number, project=None)
    assert not [key for key in bench.all_keys() - bare if "job:" in key or "index:" in key]


def test_a_job_that_runs_is_discarded_for_its_owner_while_its_call_is_hung_up(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.discard(claim.number, project=None)
    assert bench.beat("w1") == [claim.number]
    for act in (bench.store.get, bench.store.cancel, bench.store.discard):
        with pytest.raises(JobNotFound):
            act(claim.number, project=None)
    with pytest.raises(JobNotFound):
        bench.store.request(claim.number)
    assert bench.store.get_all([claim.number]) == [None]
    assert bench.runs().finish(claim, COMPLETED, ANSWERED) == "late"
    assert bench.slots(claim.lane) == set()


def test_a_discarded_job_whose_worker_died_is_swept_with_its_slot(bench: Bench) -> None:
    claim = bench.run_one()
    bench.store.discard(claim.number, project=None)
    assert bench.client.zscore(keys.PREFIX + "ended", f"default:{claim.number}") < (bench.client.time()[0] + 31) * 1000
    bench.make_due("ended")
    bench.sweep()
    assert not bench.client.exists(keys.job(claim.number), keys.attempts(claim.number))
    assert bench.slots(claim.lane) == set()


def test_what_a_discarded_job_streamed_goes_at_once(bench: Bench) -> None:
    claim = bench.run_one()
    call = appending(claim.number, worker="w1", attempt=claim.attempt, before=0, events=[("a", b"{}")], whole=False)
    assert run(bench.client, call) == 1
    bench.store.discard(claim.number, project=None)
    assert not bench.client.exists(keys.log(claim.number))
    assert run(bench.client, call) == -1


def test_only_a_job_that_ended_is_hidden(bench: Bench) -> None:
    call = Call(name="hide", keys=[keys.job(number := bench.submit())], args=[number, 1000])
    assert run(bench.client, call) == b"missing"
    assert bench.job(number).status == "queued"
    assert run(bench.client, Call(name="hide", keys=[keys.job("0" * 32)], args=["0" * 32, 1000])) == b"missing"


def test_what_goes_upstream_can_be_read(bench: Bench) -> None:
    assert bench.store.request(bench.submit(body=b'{"input":"hello"}')) == {"input": "hello"}


def test_only_a_job_that_ended_can_be_deleted_and_nothing_of_it_stays(bench: Bench) -> None:
    before = bench.all_keys() | {keys.PREFIX + name for name in ("counters", "projects", "project:p", "backlogs")}
    number = bench.submit(project="p")
    with pytest.raises(JobNotEnded):
        bench.store.delete(number, project=None)
    bench.store.cancel(number, project=None)
    bench.store.delete(number, project=None)
    with pytest.raises(JobNotFound):
        bench.job(number)
    left = bench.all_keys() - before
    stays = tuple(keys.PREFIX + name for name in ("usage:", "series:", "backlog", "events:", "metric"))
    assert all(key.startswith(stays) for key in left), left
    assert not any(number in key for key in left)


def test_a_waiting_job_is_cancelled_at_once_and_leaves_the_queue(bench: Bench) -> None:
    number = bench.submit()
    assert bench.store.cancel(number, project=None).finished_at is not None
    bench.beat("w1")
    assert bench.dispatch().released == 0


def test_cancelling_a_running_job_tells_its_worker_and_keeps_the_slot_until_that_hung_up(bench: Bench) -> None:
    claim = bench.run_one()
    bench.runs().mark_sent(claim)
    job = bench.store.cancel(claim.number, project=None)
    (attempt,) = job.attempts
    assert (job.status, attempt["outcome"], attempt["may_be_billed"]) == ("cancelled", "cancelled", True)
    assert bench.slots(claim.lane) == {claim.number}
    assert bench.beat("w1") == bench.beat("w1") == [claim.number], "an answer may be lost on its way"
    assert bench.workers.beat("w1", slots=1, about={}, heard=[claim.number]).cancelled == []
    assert bench.runs().finish(claim, COMPLETED, ANSWERED) == "late"
    assert bench.slots(claim.lane) == bench.workers.held_by("w1") == set()
    assert bench.job(claim.number).status == "cancelled"


def test_what_the_upstream_sent_is_kept_byte_for_byte(bench: Bench) -> None:
    claim = bench.run_one()
    assert bench.store.raw_response(claim.number) is None
    bench.runs().finish(claim, End(status="completed", raw=b'{ "a":1.0 }\xff'), ANSWERED)
    assert bench.store.raw_response(claim.number) == b'{ "a":1.0 }\xff'


def test_jobs_that_are_gone_stand_as_none_among_the_others(bench: Bench) -> None:
    number = bench.submit()
    found = bench.store.get_all(["0" * 32, number])
    assert [job and job.number for job in found] == [None, number]
    assert bench.store.get_all([]) == []


@pytest.fixture
def append_only(tmp_path: Path) -> Iterator[redis.Redis]:
    with running_redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        client = connect(server.url, answer_seconds=5)
        yield client
        client.close()


def test_with_fsync_a_submit_returns_once_the_log_is_on_disk(append_only: redis.Redis) -> None:
    store = JobStore(append_only, durability="fsync", max_queued_bytes=10**6)
    assert store.submit(new_job(), keyed("k")).created
    assert not store.submit(new_job(), keyed("k")).created


def test_without_a_log_fsync_is_unconfirmed_and_the_same_key_finds_the_job_later(bench: Bench) -> None:
    strict = JobStore(bench.client, durability="fsync", max_queued_bytes=10**6)
    for _ in range(2):
        with pytest.raises(DurabilityUnconfirmed):
            strict.submit(new_job(), keyed("k"))
    assert bench.store.submit(new_job(), keyed("k")).created is False


def is_confirmed(store: JobStore, key: str) -> bool:
    """Whether the job of the key is durable now; a busy replica may need more than one wait."""
    try:
        store.submit(new_job(), keyed(key))
    except DurabilityUnconfirmed:
        return False
    return True


def test_replica_waits_for_a_replica_and_a_repeat_is_no_more_durable_than_the_first(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in ("first", "second")]
    for folder in folders:
        folder.mkdir()
    with (
        running_redis(folders[0], "--repl-diskless-sync-delay", "0") as first,
        running_redis(folders[1], "--replicaof", f"127.0.0.1 {first.port}") as second,
        connect(first.url, answer_seconds=5) as client,
    ):
        store = JobStore(client, durability="replica", max_queued_bytes=10**6)
        wait_until(lambda: is_confirmed(store, "first"))
        assert second.process is not None
        second.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: psutil.Process(second.process.pid).status() == psutil.STATUS_STOPPED)
        for _ in range(2):
            with pytest.raises(DurabilityUnconfirmed):
                store.submit(new_job(), keyed("k"))
        second.process.send_signal(signal.SIGCONT)
        wait_until(lambda: is_confirmed(store, "k"))
        assert len(list(client.scan_iter(match=keys.job("*")))) == 2


def test_a_store_without_a_server_takes_no_writes(bench: Bench) -> None:
    bench.store.takes_writes()
    with connect(f"redis://127.0.0.1:{free_port()}") as nowhere, pytest.raises(StoreUnavailable):
        JobStore(nowhere, max_queued_bytes=1).takes_writes()


def test_a_key_whose_job_is_no_longer_kept_makes_no_second_job(bench: Bench) -> None:
    number = bench.store.submit(new_job(), keyed("k")).number
    bench.store.cancel(number, project=None)
    bench.store.delete(number, project=None)
    with pytest.raises(IdempotencyGone, match=number):
        bench.store.submit(new_job(), keyed("k"))
    assert not list(bench.client.scan_iter(match=keys.job("*")))
