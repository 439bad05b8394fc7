import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.claims import Claim
from jobs.connection import connect
from jobs.event_log import EventLog
from tests.fakes.bench import Bench, running_bench
from tests.fakes.redis_server import KEEPING, running_redis
from tests.fakes.small_answer import DONE_ITEM, STREAMED
from tests.fakes.waiting import wait_until
from worker.log_pump import LogPump


@pytest.fixture
def pump(bench: Bench) -> Iterator[LogPump]:
    made = LogPump(bench.client, worker="w1")
    yield made
    made.close()


def types(bench: Bench, claim: Claim) -> list[str]:
    found = EventLog(bench.client).look(claim.number, after=2)
    assert found is not None
    return [entry.type for entry in found.entries]


TYPES = [event["type"] for event in STREAMED]


def test_events_are_written_by_and_by_while_the_stream_goes_on(bench: Bench, pump: LogPump) -> None:
    claim = bench.run_one()
    writer = pump.writer(claim)
    for event in STREAMED[:2]:
        writer.take(event)
    wait_until(lambda: types(bench, claim) == TYPES[:2])
    writer.take(STREAMED[2])
    wait_until(lambda: types(bench, claim) == TYPES[:3])


def test_a_whole_answer_is_written_when_its_writer_is_closed(bench: Bench, pump: LogPump) -> None:
    claims = [bench.run_one() for _ in range(3)]
    for claim in claims:
        writer = pump.writer(claim)
        for event in STREAMED:
            writer.take(event)
        writer.close({"output": [DONE_ITEM]})
        assert types(bench, claim) == TYPES
        assert bench.client.hget(f"{{respool}}:job:{claim.number}", "log_whole") == b"1"


def test_what_many_gather_meanwhile_shares_a_round_trip(bench: Bench, pump: LogPump) -> None:
    claims = [bench.run_one() for _ in range(8)]
    before = bench.client.info("commandstats").get("cmdstat_evalsha", {}).get("calls", 0)
    for claim in claims:
        writer = pump.writer(claim)
        for event in STREAMED:
            writer.take(event)
    wait_until(lambda: all(types(bench, claim) == TYPES for claim in claims))
    calls = bench.client.info("commandstats")["cmdstat_evalsha"]["calls"] - before
    assert calls <= 2 * len(claims)


def test_no_thread_is_begun_where_nothing_is_streamed(bench: Bench, pump: LogPump) -> None:
    pump.writer(bench.run_one()).close({"output": []})
    assert pump._thread is None


def test_a_pump_that_is_closed_writes_what_waits(bench: Bench, pump: LogPump) -> None:
    claim = bench.run_one()
    pump.writer(claim).take(STREAMED[0])
    pump.close()
    assert types(bench, claim) == TYPES[:1]


def test_what_redis_was_away_for_is_written_once_it_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path, *KEEPING) as server, connect(server.url) as client, running_bench(client) as bench:
        pump = LogPump(client, worker="w1")
        claim = bench.run_one()
        writer = pump.writer(claim)
        writer.take(STREAMED[0])
        wait_until(lambda: types(bench, claim) == TYPES[:1])
        server.kill()
        for event in STREAMED[1:]:
            writer.take(event)
        server.start()
        wait_until(lambda: types(bench, claim) == TYPES)
        pump.close()


def test_the_reader_is_not_held_up_while_redis_is_away(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client, running_bench(client) as bench:
        pump = LogPump(client, worker="w1")
        writer = pump.writer(bench.run_one())
        server.kill()
        done = threading.Event()

        def read() -> None:
            for event in STREAMED:
                writer.take(event)
            writer.close({"output": [DONE_ITEM]})
            done.set()

        threading.Thread(target=read, daemon=True).start()
        assert done.wait(10)
        server.start()
        pump.close()
