import redis

from jobs.key_lookup import KeyLookup
from jobs.tenants import DEVELOPMENT_KEY, Tenants


def test_a_key_is_known_by_its_id_until_it_is_revoked(store_client: redis.Redis) -> None:
    tenants, lookup = Tenants(store_client, secret=""), KeyLookup(store_client)
    _, key = tenants.create(project="films", role="admin")
    assert lookup.valid(key.id) == key
    tenants.revoke(key.id)
    assert lookup.valid(key.id) is None
    assert lookup.valid("key_none") is None


def test_the_development_key_is_known_only_where_there_is_one(store_client: redis.Redis) -> None:
    assert KeyLookup(store_client).valid(DEVELOPMENT_KEY.id) is None
    assert KeyLookup(store_client, development_key="any").valid(DEVELOPMENT_KEY.id) == DEVELOPMENT_KEY
