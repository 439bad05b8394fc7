import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
import redis

from jobs import keys, subscription
from jobs.connection import connect
from jobs.event_log import EventLog
from jobs.followers import Followers
from jobs.live_log import Following
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.redis_server import RedisServer, running_redis
from tests.fakes.waiting import wait_until
from tests.unit.jobs.test_event_log import append


@pytest.fixture
def followers(bench: Bench) -> Followers:
    return Followers(bench.client, EventLog(bench.client))


@contextmanager
def followers_of_own(tmp_path: Path) -> Iterator[tuple[RedisServer, redis.Redis, Followers]]:
    """Over a server that a test may do anything to."""
    with running_redis(tmp_path) as server, connect(server.url) as client:
        yield server, client, Followers(client, EventLog(client))


def is_told_again(client: redis.Redis, follower: Following) -> None:
    assert follower.wait(20), "something may have been missed while there was no subscription"
    wait_until(lambda: client.pubsub_numsub(keys.log("n"))[0][1] == 1)
    client.publish(keys.log("n"), "events")
    assert follower.wait(20)


@pytest.mark.parametrize("what", ["start", "events", "finish", "cancel"])
def test_a_follower_is_told_of_all_that_happens_to_the_job(what: str, bench: Bench, followers: Followers) -> None:
    number = bench.submit()
    if what != "start":
        bench.beat("w1")
        bench.dispatch()
        (claim,) = bench.claim()
    with followers.followed(number) as follower:
        assert not follower.wait(0.01)
        if what == "start":
            bench.beat("w1")
            bench.dispatch()
            bench.claim()
        elif what == "events":
            append(bench, claim, 1)
        elif what == "finish":
            bench.runs().finish(claim, COMPLETED, ANSWERED)
        else:
            bench.store.cancel(number, project=None)
        assert follower.wait(20)
        assert not follower.wait(0.01)


def test_what_happens_to_one_job_is_told_to_its_followers_alone(bench: Bench, followers: Followers) -> None:
    mine, other = bench.submit(), bench.submit()
    with followers.followed(mine) as follower, followers.followed(other) as first, followers.followed(other) as second:
        bench.store.cancel(other, project=None)
        assert first.wait(20)
        assert second.wait(20)
        assert not follower.wait(0)


def test_many_jobs_are_followed_over_one_connection_and_none_is_remembered_after(tmp_path: Path) -> None:
    with followers_of_own(tmp_path) as (_, client, followers), ThreadPoolExecutor(60) as threads:
        ready = threading.Barrier(61)

        def stand(number: str) -> bool:
            with followers.followed(number) as follower:
                ready.wait(20)
                return follower.wait(20) is not None

        waits = [threads.submit(stand, f"{number % 20}") for number in range(60)]
        ready.wait(20)
        assert len([c for c in client.client_list() if int(c["sub"])]) == 1
        for number in range(20):
            client.publish(keys.log(f"{number}"), "events")
        assert all(wait.result() for wait in waits)
        assert followers._channels == {}
        with followers.followed("next"):
            wait_until(lambda: client.pubsub_channels(keys.log("*")) == [keys.log("next").encode()])


def test_whoever_comes_again_is_told_again(bench: Bench, followers: Followers) -> None:
    for _ in range(20):
        with followers.followed("n") as follower:
            bench.client.publish(keys.log("n"), "events")
            assert follower.wait(20)
        with followers.followed("other"):
            pass


def test_after_a_restart_of_redis_everybody_looks_again_and_is_told_again(tmp_path: Path) -> None:
    with followers_of_own(tmp_path) as (server, client, followers), followers.followed("n") as follower:
        server.kill()
        server.start()
        is_told_again(client, follower)


def test_one_who_comes_while_redis_is_away_is_told_once_it_is_back(tmp_path: Path) -> None:
    with followers_of_own(tmp_path) as (server, _, followers), followers.followed("first"):
        server.kill()
        with followers.followed("second") as follower:
            server.start()
            assert follower.wait(20)


def test_all_who_follow_are_woken_when_the_process_is_to_stop(bench: Bench, followers: Followers) -> None:
    with followers.followed(bench.submit()) as first, followers.followed(bench.submit()) as second:
        assert not followers.closed
        followers.close()
        assert None not in (first.wait(20), second.wait(20))
        assert followers.closed


def test_a_server_that_says_nothing_any_more_is_left_and_found_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscription, "PING_SECONDS", 0.2)
    with followers_of_own(tmp_path) as (server, client, followers), followers.followed("n") as follower:
        server.process.send_signal(signal.SIGSTOP)
        wait_until(lambda: "a ping was not answered" in caplog.text)
        server.process.send_signal(signal.SIGCONT)
        is_told_again(client, follower)


def test_a_server_that_is_quiet_and_answers_is_kept(bench: Bench, followers: Followers) -> None:
    pong: dict[str, Any] = {"type": "pong", "channel": None, "data": b""}
    pubsub = Mock()
    pubsub.get_message.side_effect = [None, pong, None, pong, None, None]
    followers._client = Mock(pubsub=lambda: nullcontext(pubsub))
    with pytest.raises(redis.ConnectionError, match="not answered"):
        followers._follow()
    assert (pubsub.get_message.call_count, pubsub.ping.call_count) == (6, 3)
