import pytest
import redis

from jobs.connection import connect
from jobs.wrong_keys import PLACES, WrongKeys, place_of
from tests.fakes.redis_server import free_port


def test_only_what_is_beyond_the_most_is_too_much_and_the_first_of_it_is_told(store_client: redis.Redis) -> None:
    wrong = WrongKeys(store_client, most=2)
    found = [wrong.count("192.0.2.1") for _ in range(4)]
    assert found[:2] == [None, None]
    assert [one.first for one in found[2:] if one] == [True, False]
    assert all(1 <= one.seconds <= 60 for one in found[2:] if one)


def test_without_redis_nothing_is_too_much() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client:
        assert WrongKeys(client, most=1).count("192.0.2.1") is None


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::1", True),
        ("", "unix:", True),
    ],
)
def test_addresses_of_one_network_have_one_place(one: str, other: str, same: bool) -> None:
    assert (place_of(one) == place_of(other)) == same
    assert 0 <= place_of(one) < PLACES
