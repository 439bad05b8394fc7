import logging
import os
from collections.abc import Callable, Iterator
from typing import Literal

import pytest
import redis

from jobs.coalesce import Coalescer
from jobs.redis_safety import RedisSafety
from tests.fakes.waiting import wait_until
from worker.calls import Call, Calls
from worker.crew import Claimed, Crew
from worker.loops import Loop
from worker.queue_process import Parts, QueueProcess, new_id


class Noted(QueueProcess):
    """Notes in which order its parts end."""

    def __init__(self, client: redis.Redis, *, unsafe: Literal["refuse", "allow"] = "allow") -> None:
        self.notes: list[str] = []
        self.beaten = 0
        self.calls = Calls()
        crew: Crew[Claimed] = Crew(lambda numbers, /, *, dispatch, nonce: [], lambda claim: None, self.calls, slots=7)
        parts = Parts(
            crew=crew,
            calls=self.calls,
            coalescer=Coalescer(client),
            beats=Loop("heartbeat", self._beat),
            others=(Loop("other", lambda: 1000.0),),
            safety=RedisSafety(client, unsafe=unsafe),
            closing=lambda: self.notes.append("closing"),
        )
        super().__init__(new_id(), parts, grace_seconds=0, log_level="INFO")

    def _beat(self) -> float:
        self.beaten += 1
        return 1000.0

    def leave(self) -> int:
        self.notes.append("leave")
        return 3


@pytest.fixture
def made(store_client: redis.Redis) -> Iterator[Callable[[], Noted]]:
    started: list[Noted] = []

    def start() -> Noted:
        process = Noted(store_client)
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        if "leave" not in process.notes:
            process.stop()


def test_no_two_processes_have_one_name() -> None:
    assert new_id() != new_id()


def test_nothing_runs_before_its_start(store_client: redis.Redis) -> None:
    assert Noted(store_client).beaten == 0


def test_whole_urls_are_not_logged_at_any_level(made: Callable[[], Noted], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        made()
        assert not logging.getLogger("urllib3.connectionpool").isEnabledFor(logging.DEBUG)


def test_draining_is_told_with_a_beat_of_its_own_and_offers_nothing(made: Callable[[], Noted]) -> None:
    process = made()
    wait_until(lambda: process.beaten == 1)
    process.drain()
    wait_until(lambda: process.beaten == 2)
    assert process.crew.open_slots == 0


def test_it_leaves_after_all_else_has_ended_and_tells_so(
    made: Callable[[], Noted], caplog: pytest.LogCaptureFixture
) -> None:
    process = made()
    with caplog.at_level(logging.INFO):
        process.stop()
    assert process.notes == ["closing", "leave"]
    assert f"{process.id} leaves: 0 calls hung up, 3 handed back" in caplog.text


def test_a_call_beyond_its_time_is_hung_up(made: Callable[[], Noted]) -> None:
    process = made()
    call = Call(seconds=0)
    process.calls.add("n", 1, call)
    wait_until(lambda: call.hung_up == "out_of_time")


def test_one_that_must_not_start_says_why_holds_nothing_and_ends(
    store_client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    process = Noted(store_client, unsafe="refuse")
    with pytest.raises(SystemExit) as ended:
        process.start()
    process.stop()
    assert ended.value.code == os.EX_CONFIG
    assert "RESPOOL_UNSAFE_REDIS" in caplog.text
    assert (process.notes, process.beaten) == ([], 0)


def test_one_that_is_to_stop_before_it_started_has_nothing_to_leave(store_client: redis.Redis) -> None:
    process = Noted(store_client)
    process.stop()
    assert process.notes == []
