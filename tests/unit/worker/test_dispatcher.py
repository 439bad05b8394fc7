import logging
from pathlib import Path

import pytest

from jobs import keys
from jobs.connection import connect
from jobs.errors import StoreUnavailable
from jobs.lanes import Lanes, lane_of
from jobs.limits import Limits
from tests.factories import MODEL
from tests.fakes.bench import Bench, running_bench
from tests.fakes.redis_server import running_redis
from worker.dispatcher import Dispatcher
from worker.wakes import STAND_BY_SECONDS


def dispatcher(bench: Bench, worker: str) -> Dispatcher:
    return Dispatcher(Lanes(bench.client, Limits()), bench.client, worker=worker)


def listeners(bench: Bench) -> int:
    ((_, count),) = bench.client.pubsub_numsub(keys.WAKE)
    return int(count)


def test_one_leads_and_listens_and_the_other_stands_by(bench: Bench) -> None:
    first, second = dispatcher(bench, "w1"), dispatcher(bench, "w2")
    assert (first.step(), second.step()) == (0, STAND_BY_SECONDS)
    assert listeners(bench) == 1
    first.close()


def test_a_step_releases_what_waits(bench: Bench) -> None:
    numbers = [bench.submit() for _ in range(3)]
    bench.beat("w1")
    leader = dispatcher(bench, "w1")
    leader.step()
    assert [number for release in bench.releases("w1") for number in release.numbers] == numbers
    leader.close()


def test_a_submit_wakes_the_leader_from_its_wait(bench: Bench) -> None:
    bench.beat("w1")
    leader = dispatcher(bench, "w1")
    for _ in range(3):  # subscribes, hears of that, waits
        leader.step()
    bench.submit()
    woken = leader._wakes.heard
    assert woken is not None
    message = woken.get_message(timeout=10)
    assert message is not None
    assert message["type"] == "message"
    leader.step()
    assert len(bench.releases("w1")) == 1
    leader.close()


def test_who_lost_the_lead_stops_listening(bench: Bench) -> None:
    leader = dispatcher(bench, "w1")
    leader.step()
    bench.client.set("{respool}:leader", "w2")
    assert leader.step() == STAND_BY_SECONDS
    assert leader._wakes.heard is None


def test_a_lost_redis_is_told_of_and_the_subscription_comes_back_with_it(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server:
        client = connect(server.url)
        with running_bench(client) as bench:
            bench.beat("w1")
            leader = dispatcher(bench, "w1")
            leader.step()
            server.kill()
            with pytest.raises(StoreUnavailable):
                leader.step()
            server.start()
            for _ in range(3):
                try:
                    leader.step()
                except StoreUnavailable:
                    continue
            assert listeners(bench) == 1
            leader.close()
        client.close()


def test_what_changed_at_a_lane_is_logged_a_line_each(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.submit()
    bench.dispatch("w1")
    lane = lane_of(MODEL)
    bench.lanes.pause(lane, seconds=60, reason="tests", by="one")
    bench.lanes.resume(lane, reason="done", by="two")
    leader = dispatcher(bench, "w1")
    with caplog.at_level(logging.INFO, logger="worker.dispatcher"):
        leader.step()
        leader.step()
    leader.close()
    lines = [record.getMessage() for record in caplog.records if record.name == "worker.dispatcher"]
    assert len(lines) == 2
    assert "tests" in lines[0]
    assert "done" in lines[1]
    assert all(lane in line for line in lines)
