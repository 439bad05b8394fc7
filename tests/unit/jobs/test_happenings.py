import pytest
import redis

from jobs import keys
from jobs.connection import connect
from jobs.happenings import CHANNELS, Happenings
from tests.fakes.waiting import wait_until


def subscribers(client: redis.Redis) -> int:
    return int(client.pubsub_numsub(keys.ENDED_CHANNEL)[0][1])


@pytest.mark.parametrize("channel", CHANNELS)
def test_whatever_happens_wakes_everybody_who_listens(channel: str, redis_url: str, store_client: redis.Redis) -> None:
    happenings, before = Happenings(connect(redis_url)), subscribers(store_client)
    with happenings.heard() as one, happenings.heard() as other:
        wait_until(lambda: subscribers(store_client) == before + 1)
        while one(0.2) or other(0.2):
            """The subscription itself is worth a look."""
        store_client.publish(channel, "1")
        assert one(10)
        assert other(10)
        assert not one(0.05)


def test_a_subscription_that_is_lost_is_made_again(redis_url: str, store_client: redis.Redis) -> None:
    before = subscribers(store_client)
    with Happenings(connect(redis_url)).heard() as wait:
        wait_until(lambda: subscribers(store_client) > before)
        while wait(0.2):
            """Until all is still."""
        store_client.client_kill_filter(_type="pubsub")
        assert wait(10)
        store_client.publish(keys.WAKE, "1")
        assert wait(10)


def test_whoever_stopped_listening_is_not_kept(redis_url: str) -> None:
    happenings = Happenings(connect(redis_url))
    with happenings.heard():
        assert len(happenings._listening) == 1
    assert happenings._listening == set()
