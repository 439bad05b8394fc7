from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from jobs import keys, scripts
from jobs.coalesce import Coalescer
from jobs.connection import connect
from jobs.errors import StoreUnavailable
from tests.fakes.bench import Bench
from tests.fakes.redis_server import running_redis
from tests.fakes.waiting import wait_until

NOTHING: list[object] = [[], []]
"""What a beat hears where nothing was cancelled."""


def beat(worker: str, *, about: Any = "{}") -> scripts.Call:
    return scripts.Call(name="heartbeat", args=[worker, 60_000, 1, about])


def mark_sent(number: str) -> scripts.Call:
    return scripts.Call(name="mark_sent", keys=[keys.job(number)], args=["w1", 1])


def reads_so_far(client: redis.Redis) -> int:
    """How often the server has read from a socket."""
    return int(client.info("stats")["total_reads_processed"])


def test_calls_of_many_threads_share_round_trips_and_each_has_its_own_answer(store_client: redis.Redis) -> None:
    coalescer = Coalescer(store_client, most=256)
    scripts.run(store_client, mark_sent("none"))
    with ThreadPoolExecutor(200) as threads:
        answers = [threads.submit(coalescer.run, beat(f"w{i}")) for i in range(100)]
        answers += [threads.submit(coalescer.run, mark_sent(f"{i}")) for i in range(100)]
        wait_until(lambda: coalescer._calls.qsize() == 200)
        before = reads_so_far(store_client)
        coalescer.start()
        assert [answer.result() for answer in answers] == [NOTHING] * 100 + [0] * 100
        assert reads_so_far(store_client) - before < 20
    assert store_client.zcard(keys.WORKERS) == 100
    coalescer.close()


def test_no_more_than_the_most_go_in_one_round_trip(store_client: redis.Redis) -> None:
    coalescer = Coalescer(store_client, most=3)
    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(coalescer.run, beat(f"w{i}")) for i in range(10)]
        wait_until(lambda: coalescer._calls.qsize() == 10)
        before = reads_so_far(store_client)
        coalescer.start()
        assert [answer.result() for answer in answers] == [NOTHING] * 10
        assert reads_so_far(store_client) - before >= 4
    coalescer.close()


def test_no_more_bytes_than_the_most_go_in_one_round_trip_and_a_larger_call_goes_alone(
    store_client: redis.Redis,
) -> None:
    coalescer = Coalescer(store_client, most_bytes=300)
    calls = [beat(f"w{i}", about="x" * size) for i, size in enumerate([100, 100, 1000, 1000, 100, 100, 100, 100])]
    with ThreadPoolExecutor(10) as threads:
        answers = [threads.submit(coalescer.run, call) for call in calls]
        wait_until(lambda: coalescer._calls.qsize() == len(calls))
        before = reads_so_far(store_client)
        coalescer.start()
        assert [answer.result() for answer in answers] == [NOTHING] * len(calls)
        assert reads_so_far(store_client) - before >= 5
    assert store_client.zcard(keys.WORKERS) == len(calls)
    coalescer.close()


@pytest.mark.parametrize(
    ("word", "error"), [("half \ud83d", UnicodeEncodeError), (None, TypeError), (True, TypeError), ([], TypeError)]
)
def test_a_call_that_cannot_be_sent_fails_its_caller_alone(
    word: Any, error: type[Exception], store_client: redis.Redis
) -> None:
    coalescer = Coalescer(store_client)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(coalescer.run, call) for call in (beat("a"), beat("w", about=word), beat("b"))]
        with pytest.raises(error):
            answers[1].result()
        wait_until(lambda: coalescer._calls.qsize() == 2)
        coalescer.start()
        assert (answers[0].result(), answers[2].result()) == (NOTHING, NOTHING)
    coalescer.close()


def test_a_call_that_fails_does_not_fail_those_that_were_sent_with_it(bench: Bench) -> None:
    wrong = scripts.Call(name="heartbeat", args=["w1", "no number", 1, "{}"])
    coalescer = Coalescer(bench.client)
    with ThreadPoolExecutor(3) as threads:
        answers = [threads.submit(coalescer.run, call) for call in (beat("a"), wrong, beat("b"))]
        wait_until(lambda: coalescer._calls.qsize() == 3)
        coalescer.start()
        assert (answers[0].result(), answers[2].result()) == (NOTHING, NOTHING)
        with pytest.raises(redis.ResponseError):
            answers[1].result()
    coalescer.close()


def test_calls_wait_out_a_restart_of_redis(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        coalescer = Coalescer(client)
        coalescer.start()
        assert coalescer.run(beat("w1")) == NOTHING
        server.kill()
        with ThreadPoolExecutor(20) as threads:
            answers = [threads.submit(coalescer.run, beat(f"w{i}")) for i in range(20)]
            server.start()
            assert [answer.result() for answer in answers] == [NOTHING] * 20
        assert client.zcard(keys.WORKERS) == 20
        coalescer.close()


def test_closing_ends_what_was_asked_for_first(store_client: redis.Redis) -> None:
    coalescer = Coalescer(store_client, most=2)
    with ThreadPoolExecutor(9) as threads:
        answers = [threads.submit(coalescer.run, beat(f"w{i}")) for i in range(9)]
        wait_until(lambda: coalescer._calls.qsize() == 9)
        coalescer.start()
        coalescer.close()
        assert [answer.result(timeout=20) for answer in answers] == [NOTHING] * 9


def test_closing_while_redis_is_away_tells_those_who_wait(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        coalescer = Coalescer(client)
        coalescer.start()
        server.kill()
        with ThreadPoolExecutor(1) as threads:
            answer = threads.submit(coalescer.run, beat("w1"))
            coalescer.close()
            with pytest.raises(StoreUnavailable):
                answer.result()


def test_after_closing_nobody_is_kept_waiting(store_client: redis.Redis) -> None:
    coalescer = Coalescer(store_client)
    coalescer.start()
    coalescer.close()
    with pytest.raises(StoreUnavailable):
        coalescer.run(beat("w1"))
