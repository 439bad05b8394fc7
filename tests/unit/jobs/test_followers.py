import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jobs import keys, subscription
from jobs.connection import connect
from jobs.event_log import EventLog
from jobs.followers import Followers
from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.fakes.redis_server import running_redis
from tests.fakes.waiting import wait_until
from tests.unit.jobs.test_event_log import append


@pytest.fixture
def followers(bench: Bench) -> Followers:
    return Followers(bench.client, EventLog(bench.client))


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
    with running_redis(tmp_path) as server, connect(server.url) as client, ThreadPoolExecutor(60) as threads:
        followers, ready = Followers(client, EventLog(client)), threading.Barrier(61)

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
    with running_redis(tmp_path) as server, connect(server.url) as client:
        followers = Followers(client, EventLog(client))
        with followers.followed("n") as follower:
            server.kill()
            server.start()
            assert follower.wait(20), "something may have been missed while there was no subscription"
            wait_until(lambda: client.pubsub_numsub(keys.log("n"))[0][1] == 1)
            client.publish(keys.log("n"), "events")
            assert follower.wait(20)


def test_one_who_comes_while_redis_is_away_is_told_once_it_is_back(tmp_path: Path) -> None:
    with running_redis(tmp_path) as server, connect(server.url) as client:
        followers = Followers(client, EventLog(client))
        with followers.followed("first"):
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
    with running_redis(tmp_path) as server, connect(server.url) as client:
        followers = Followers(client, EventLog(client))
        with followers.followed("n") as follower:
            server.process.send_signal(signal.SIGSTOP)
            wait_until(lambda: "a ping was not answered" in caplog.text)
            server.process.send_signal(signal.SIGCONT)
            assert follower.wait(20), "something may have been missed meanwhile"
            wait_until(lambda: client.pubsub_numsub(keys.log("n"))[0][1] == 1)
            client.publish(keys.log("n"), "events")
            assert follower.wait(20)


def test_a_quiet_server_that_answers_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(subscription, "PING_SECONDS", 0.02)
    with running_redis(tmp_path) as server, connect(server.url) as client:
        followers = Followers(client, EventLog(client))
        with followers.followed("n") as follower:
            wait_until(lambda: client.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"] >= 10)
            follower.forget()
            client.publish(keys.log("n"), "events")
            assert follower.wait(20)
        assert "lost" not in caplog.text
