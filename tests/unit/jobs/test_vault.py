import pytest
import redis

from jobs import keys
from jobs.connection import connect
from jobs.errors import StoreUnavailable, Unsealable
from jobs.vault import Vault
from tests.fakes.redis_server import free_port

TEXTS = ["", "whsec_AAAA", "ä€😀\n", "x" * 10_000]


@pytest.mark.parametrize("secret", ["pepper", "", "ü"])
@pytest.mark.parametrize("text", TEXTS)
def test_what_was_sealed_is_opened_by_every_process_with_the_same_secret(
    store_client: redis.Redis, secret: str, text: str
) -> None:
    sealed = Vault(store_client, secret=secret).seal(text)
    assert Vault(store_client, secret=secret).open(sealed) == text


def test_what_is_sealed_does_not_show_and_is_never_the_same_twice(store_client: redis.Redis) -> None:
    vault = Vault(store_client, secret="pepper")
    first, second = vault.seal("whsec_shown"), vault.seal("whsec_shown")
    assert first != second
    for sealed in (first, second):
        assert sealed.isascii()
        assert "shown" not in sealed


@pytest.mark.parametrize(("secret", "other"), [("pepper", "salt"), ("pepper", ""), ("", "pepper")])
def test_another_secret_opens_nothing(store_client: redis.Redis, secret: str, other: str) -> None:
    sealed = Vault(store_client, secret=secret).seal("text")
    with pytest.raises(Unsealable, match="RESPOOL_SECRET"):
        Vault(store_client, secret=other).open(sealed)


def test_what_an_older_secret_sealed_is_opened_and_what_is_sealed_now_needs_the_new_one(
    store_client: redis.Redis,
) -> None:
    vault = Vault(store_client, secret="new", older=("old", "oldest"))
    for secret in ("oldest", "old", "new"):
        assert vault.open(Vault(store_client, secret=secret).seal("text")) == "text"
    assert Vault(store_client, secret="new").open(vault.seal("text")) == "text"
    with pytest.raises(Unsealable):
        vault.open(Vault(store_client, secret="another").seal("text"))


def test_another_secret_in_redis_opens_nothing(store_client: redis.Redis) -> None:
    sealed = Vault(store_client, secret="").seal("text")
    store_client.set(keys.SECRET, "another")
    with pytest.raises(Unsealable):
        Vault(store_client, secret="").open(sealed)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "none"])
def test_what_is_damaged_is_not_opened(store_client: redis.Redis, damage: str) -> None:
    vault = Vault(store_client, secret="pepper")
    sealed = vault.seal("text")
    flipped = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]
    texts = {"cut": sealed[:-8], "flipped": flipped, "empty": "", "none": "no seal at all"}
    with pytest.raises(Unsealable) as caught:
        vault.open(texts[damage])
    assert "text" not in str(caught.value)


def test_the_given_secret_asks_nothing_of_redis() -> None:
    with connect(f"redis://127.0.0.1:{free_port()}/0") as client:
        vault = Vault(client, secret="pepper")
        assert vault.open(vault.seal("text")) == "text"
        with pytest.raises(StoreUnavailable):
            Vault(client, secret="").seal("text")
