import base64
import json
from typing import Any

import pytest
import redis

from jobs import keys, scripts
from jobs.errors import EndpointNotFound, TooManySecrets
from jobs.projects import Projects
from jobs.vault import Vault
from jobs.webhooks.secrets import (
    MOST_LIVE,
    OVERLAP_SECONDS,
    ProjectSecrets,
    check_secret,
    key_of,
    new_secret,
    rotate_in,
)
from tests.fakes.bench import Bench
from tests.fakes.clock import Clock

HOUR = 3600.0
DAY_MS = OVERLAP_SECONDS * 1000


@pytest.fixture
def vault(bench: Bench) -> Vault:
    return Vault(bench.client, secret="pepper")


@pytest.fixture
def project_secrets(bench: Bench, vault: Vault) -> ProjectSecrets:
    return ProjectSecrets(bench.client, vault)


def kept(client: redis.Redis, vault: Vault, key: str = keys.project("p")) -> list[tuple[str, int]]:
    """What the hash holds, opened: secrets and until when (ms) they sign."""
    pairs: list[Any] = json.loads(client.hget(key, "secrets") or b"[]")
    return [(vault.open(sealed), until) for sealed, until in pairs]


def coded(length: int) -> str:
    return base64.b64encode(bytes(range(length))).decode()


def test_a_new_secret_is_32_random_bytes() -> None:
    first, second = new_secret(), new_secret()
    assert first != second
    assert [len(key_of(secret)) for secret in (first, second)] == [32, 32]
    check_secret(first)


@pytest.mark.parametrize("length", [24, 25, 32, 64])
def test_the_key_is_what_stands_behind_the_prefix(length: int) -> None:
    assert key_of("whsec_" + coded(length)) == bytes(range(length))


@pytest.mark.parametrize(
    "text",
    [
        "", "whsec_", coded(32), "whsec_" + coded(23), "whsec_" + coded(65), "whpk_" + coded(32), "WHSEC_" + coded(32),
        "whsec_whsec_" + coded(32), "whsec_" + coded(32)[:-1], "whsec_ " + coded(32), "whsec_" + coded(32) + "\n",
        "whsec_" + "-_" * 16, "whsec_" + "ü" * 32, "whsec_" + "=" * 44,
    ],
)  # fmt: skip
def test_what_is_no_signing_secret_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"24 to 64 bytes") as caught:
        check_secret(text)
    assert len(text) < 8 or text not in str(caught.value)


def test_the_first_secret_is_made_once(bench: Bench, vault: Vault, project_secrets: ProjectSecrets) -> None:
    assert project_secrets.exists("p") is False
    first = project_secrets.make("p")
    assert first is not None
    assert project_secrets.exists("p") is True
    assert project_secrets.make("p") is None
    assert kept(bench.client, vault) == [(first, 0)]
    assert project_secrets.exists("q") is False


@pytest.mark.parametrize("way", ["make", "rotate"])
def test_a_project_is_made_if_it_is_new(bench: Bench, project_secrets: ProjectSecrets, way: str) -> None:
    assert getattr(project_secrets, way)("p")
    assert [project.name for project in Projects(bench.client).all()] == ["p"]
    with pytest.raises(ValueError, match="name"):
        getattr(project_secrets, way)("no name")


def test_the_limits_of_a_project_stay_beside_its_secrets(bench: Bench, project_secrets: ProjectSecrets) -> None:
    bench.projects.change("p", {"max_queued": 5})
    project_secrets.make("p")
    assert bench.projects.change("p", {"weight": 2.0}).limits.max_queued == 5
    assert project_secrets.exists("p") is True


def test_redis_holds_no_secret_that_could_be_read(bench: Bench, project_secrets: ProjectSecrets) -> None:
    made = project_secrets.make("p")
    assert made is not None
    held = repr(bench.client.hgetall(keys.project("p"))).encode()
    for word in (made, made.removeprefix("whsec_"), key_of(made).hex(), "pepper"):
        assert word.encode() not in held


def test_a_secret_that_was_replaced_signs_for_a_day_more(
    bench: Bench, clock: Clock, vault: Vault, project_secrets: ProjectSecrets
) -> None:
    first = project_secrets.rotate("p")
    second = project_secrets.rotate("p")
    (current, zero), (older, until) = kept(bench.client, vault)
    assert (current, zero, older) == (second, 0, first)
    assert until == pytest.approx(clock.milliseconds() + DAY_MS, abs=10)
    clock.forward(HOUR)
    third = project_secrets.rotate("p")
    (_, _), (_, second_until), (_, first_until) = kept(bench.client, vault)
    assert [secret for secret, _ in kept(bench.client, vault)] == [third, second, first]
    assert first_until == until
    assert second_until == pytest.approx(clock.milliseconds() + DAY_MS, abs=10)


def test_one_whose_day_is_over_is_forgotten_at_the_next_rotation(
    bench: Bench, clock: Clock, vault: Vault, project_secrets: ProjectSecrets
) -> None:
    project_secrets.rotate("p")
    second = project_secrets.rotate("p")
    clock.forward(OVERLAP_SECONDS + 1)
    third = project_secrets.rotate("p")
    assert [secret for secret, _ in kept(bench.client, vault)] == [third, second]


def test_beyond_five_that_sign_the_next_waits_until_one_stops(
    bench: Bench, clock: Clock, vault: Vault, project_secrets: ProjectSecrets
) -> None:
    for _ in range(MOST_LIVE):
        project_secrets.rotate("p")
        clock.forward(HOUR)
    before = kept(bench.client, vault)
    assert len(before) == MOST_LIVE
    with pytest.raises(TooManySecrets, match="5") as caught:
        project_secrets.rotate("p")
    assert caught.value.retry_after_seconds == pytest.approx(OVERLAP_SECONDS - (MOST_LIVE - 1) * HOUR, abs=1)
    assert kept(bench.client, vault) == before
    clock.forward(caught.value.retry_after_seconds + 0.001)
    newest = project_secrets.rotate("p")
    after = kept(bench.client, vault)
    assert [secret for secret, _ in after] == [newest, *(secret for secret, _ in before[: MOST_LIVE - 1])]


def test_an_endpoint_has_secrets_of_its_own(bench: Bench, vault: Vault) -> None:
    key = keys.PREFIX + "webhook_endpoint:w"
    bench.client.hset(key, "status", "enabled")
    first = rotate_in(bench.client, key, vault)
    second = rotate_in(bench.client, key, vault)
    assert [secret for secret, _ in kept(bench.client, vault, key)] == [second, first]
    assert bench.client.smembers(keys.PROJECTS) == set()


def test_an_endpoint_that_is_gone_is_not_made_again(bench: Bench, vault: Vault) -> None:
    with pytest.raises(EndpointNotFound, match=r"^w$"):
        rotate_in(bench.client, keys.PREFIX + "webhook_endpoint:w", vault)
    assert bench.all_keys() == set()


@pytest.mark.parametrize("way", ["make", "rotate"])
def test_a_rotation_that_is_sent_twice_is_one(bench: Bench, clock: Clock, vault: Vault, way: str) -> None:
    sealed = [vault.seal(new_secret()) for _ in range(2)]

    def put(place: int) -> Any:
        args: list[scripts.Argument] = [sealed[place], DAY_MS, MOST_LIVE, way, "p"]
        call = scripts.Call(name="rotate_secret", keys=[keys.project("p")], args=args)
        return scripts.run(bench.client, call)

    assert put(0) == [b"put", 0]
    held = bench.client.hgetall(keys.project("p"))
    clock.forward(60)
    assert put(0) == [b"put", 0]
    assert bench.client.hgetall(keys.project("p")) == held
    assert put(1) == [b"put" if way == "rotate" else b"kept", 0]
    held = bench.client.hgetall(keys.project("p"))
    assert put(0) == [b"put", 0]
    assert bench.client.hgetall(keys.project("p")) == held


def test_projects_whose_secret_another_respool_secret_sealed_are_named(
    bench: Bench, vault: Vault, project_secrets: ProjectSecrets
) -> None:
    ProjectSecrets(bench.client, Vault(bench.client, secret="another")).make("old")
    project_secrets.make("p")
    assert project_secrets.unreadable(["none", "old", "p"]) == ["old"]
    ProjectSecrets(bench.client, Vault(bench.client, secret="another")).rotate("p")
    assert project_secrets.unreadable(["p"]) == ["p"]
