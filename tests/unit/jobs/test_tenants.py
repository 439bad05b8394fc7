from typing import Any

import pytest
import redis

from jobs.errors import KeyNotFound
from jobs.tenants import DEVELOPMENT_KEY, Tenants


@pytest.fixture
def tenants(store_client: redis.Redis) -> Tenants:
    return Tenants(store_client, secret="pepper")


def everything(client: redis.Redis) -> bytes:
    """All names and values in Redis."""
    found: list[Any] = []
    for key in client.scan_iter(count=1000):
        readers = {b"string": client.get, b"hash": client.hgetall, b"set": client.smembers}
        found += [key, readers[client.type(key)](key)]
    return repr(found).encode()


def test_a_key_is_found_by_its_text_alone(tenants: Tenants) -> None:
    text, key = tenants.create(project="p", role="member")
    assert text.startswith("rsp_")
    assert len(text) > 40
    assert (key.project, key.admin, key.revoked_at) == ("p", False, None)
    assert tenants.find(text) == key
    for other in ("", text[:-1], text + "x", text.upper(), key.id, "rsp_ü"):
        assert tenants.find(other) is None


def test_a_key_made_under_an_older_secret_is_valid_until_it_is_revoked(
    tenants: Tenants, store_client: redis.Redis
) -> None:
    text, key = tenants.create(project="p", role="member")
    assert Tenants(store_client, secret="salt").find(text) is None
    later = Tenants(store_client, secret="salt", older=("other", "pepper"))
    assert later.find(text) == key
    later.revoke(key.id)
    assert later.find(text) is None


@pytest.mark.parametrize("secret", ["pepper", ""])
def test_nothing_in_redis_holds_a_key_or_the_given_secret(store_client: redis.Redis, secret: str) -> None:
    tenants = Tenants(store_client, secret=secret, development_key="open sesame")
    texts = [tenants.create(project="p", role=role)[0] for role in ("member", "admin")]
    assert tenants.find("open sesame") is not None
    held = everything(store_client)
    for word in (*texts, *(text.removeprefix("rsp_") for text in texts), "open sesame", "pepper"):
        assert word.encode() not in held
        assert word.encode().hex().encode() not in held


def test_another_secret_finds_no_key(store_client: redis.Redis, tenants: Tenants) -> None:
    text, _ = tenants.create(project="p", role="member")
    assert Tenants(store_client, secret="other").find(text) is None
    assert Tenants(store_client, secret="pepper").find(text) is not None


def test_without_a_secret_one_is_made_once_and_shared(store_client: redis.Redis) -> None:
    text, key = Tenants(store_client, secret="").create(project="p", role="member")
    assert Tenants(store_client, secret="").find(text) == key


def test_an_admin_key_says_so(tenants: Tenants) -> None:
    assert tenants.create(project="p", role="admin")[1].admin is True


def test_keys_of_a_project_are_rotated_without_a_gap(tenants: Tenants) -> None:
    old, old_key = tenants.create(project="p", role="member")
    new, new_key = tenants.create(project="p", role="member")
    assert (tenants.find(old), tenants.find(new)) == (old_key, new_key)
    revoked = tenants.revoke(old_key.id)
    assert revoked.revoked_at is not None
    assert (tenants.find(old), tenants.find(new)) == (None, new_key)
    assert tenants.revoke(old_key.id) == revoked
    assert sorted(key.id for key in tenants.list()) == sorted([old_key.id, new_key.id])


def test_a_key_that_does_not_exist_cannot_be_revoked(tenants: Tenants) -> None:
    assert tenants.list() == []
    with pytest.raises(KeyNotFound):
        tenants.revoke("key_none")


@pytest.mark.parametrize("name", ["a", "0", "a" * 63, "a-b_c"])
def test_a_project_may_be_called(tenants: Tenants, name: str) -> None:
    assert tenants.create(project=name, role="member")[1].project == name


@pytest.mark.parametrize("name", ["", "a" * 64, "A", "-a", "_a", "a b", "a:b", "a\n", "ä", "a/b"])
def test_a_project_may_not_be_called(tenants: Tenants, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        tenants.create(project=name, role="member")


def test_the_development_key_is_a_member_of_the_default_project(store_client: redis.Redis) -> None:
    tenants = Tenants(store_client, secret="", development_key="dev")
    assert tenants.find("dev") == DEVELOPMENT_KEY
    assert (DEVELOPMENT_KEY.project, DEVELOPMENT_KEY.admin) == ("default", False)
    assert tenants.find("") is None
    assert Tenants(store_client, secret="").find("") is None
