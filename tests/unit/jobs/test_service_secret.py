import redis

from jobs import keys
from jobs.service_secret import kept_secret


def test_it_is_made_once_and_the_same_for_all(store_client: redis.Redis) -> None:
    first = kept_secret(store_client)
    assert len(first) == 64
    assert kept_secret(store_client) == first == store_client.get(keys.SECRET)
    store_client.delete(keys.SECRET)
    assert kept_secret(store_client) != first


def test_one_that_is_there_is_left_alone(store_client: redis.Redis) -> None:
    store_client.set(keys.SECRET, "as before")
    assert kept_secret(store_client) == b"as before"
