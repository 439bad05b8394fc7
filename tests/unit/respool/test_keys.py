import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from jobs import keys
from jobs.tenants import Tenants
from jobs.vault import Vault
from jobs.webhooks.secrets import MOST_LIVE, ProjectSecrets, check_secret, new_secret
from respool.cli import main
from respool.data_folder import DataFolder, Service


@pytest.fixture(autouse=True)
def surroundings(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A shell beside the Redis of a service, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RESPOOL_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RESPOOL_REDIS_URL", redis_url)
    monkeypatch.setenv("RESPOOL_SECRET", "pepper")


@pytest.fixture
def running_up(redis_url: str, tmp_path: Path) -> Iterator[DataFolder]:
    """The folder of an `up` that lives."""
    data = DataFolder(tmp_path / "data")
    with data.claimed():
        data.publish(Service(url="http://127.0.0.1:1", redis_url=redis_url, api_key="k", secret="pepper", pid=1))
        yield data


def respool_keys(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["keys", *arguments])


def live_secrets(client: redis.Redis, project: str) -> list[str]:
    """What signs the project's webhooks, as the service opens it."""
    vault = Vault(client, secret="pepper")
    held = client.hget(keys.project(project), "secrets") or b"[]"
    return [vault.open(sealed) for sealed, _ in json.loads(held)]


def test_the_key_stands_alone_on_stdout_and_the_first_brings_the_signing_secret_on_stderr(
    store_client: redis.Redis,
) -> None:
    made = respool_keys("create", "--project", "film")
    assert made.exit_code == 0
    key = Tenants(store_client, secret="pepper").find(made.stdout.removesuffix("\n"))
    assert key is not None
    (secret,) = live_secrets(store_client, "film")
    check_secret(secret)
    assert made.stderr.splitlines() == [
        f"{key.id} of project film; the key is shown this once:",
        f"webhook signing secret of project film, shown this once: {secret}",
    ]


def test_a_further_key_of_the_project_brings_none(store_client: redis.Redis) -> None:
    respool_keys("create", "--project", "film")
    before = live_secrets(store_client, "film")
    made = respool_keys("create", "--project", "film", "--admin")
    assert made.exit_code == 0
    assert "whsec_" not in made.output
    assert live_secrets(store_client, "film") == before
    assert "whsec_" in respool_keys("create", "--project", "other").stderr


def test_a_new_signing_secret_stands_alone_on_stdout_and_the_old_one_signs_on(store_client: redis.Redis) -> None:
    respool_keys("create", "--project", "film")
    (first,) = live_secrets(store_client, "film")
    made = respool_keys("webhook-secret", "--project", "film")
    assert made.exit_code == 0
    second = made.stdout.removesuffix("\n")
    assert live_secrets(store_client, "film") == [second, first]
    assert made.stderr == (
        "webhook signing secret of project film, shown this once; those before it sign on for 24 hours:\n"
    )


def test_a_project_without_keys_gets_its_first_signing_secret_too(store_client: redis.Redis) -> None:
    made = respool_keys("webhook-secret")
    assert live_secrets(store_client, "default") == [made.stdout.removesuffix("\n")]


def test_beyond_five_that_sign_it_says_when_the_next_may_be_made(store_client: redis.Redis) -> None:
    secrets = ProjectSecrets(store_client, Vault(store_client, secret="pepper"))
    for _ in range(MOST_LIVE):
        secrets.rotate("film")
    before = live_secrets(store_client, "film")
    refused = respool_keys("webhook-secret", "--project", "film")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "respool: 5 secrets sign at present; one of them stops in 1440 min\n"
    assert live_secrets(store_client, "film") == before


@pytest.mark.parametrize("command", ["create", "webhook-secret"])
def test_a_name_that_no_project_can_have_is_wrong_usage(store_client: redis.Redis, command: str) -> None:
    refused = respool_keys(command, "--project", "no name")
    assert refused.exit_code == 2
    assert "--project" in refused.stderr
    assert store_client.keys() == []


def test_where_a_setting_signs_for_the_default_project_it_is_named_and_nothing_made(
    store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = new_secret()
    monkeypatch.setenv("RESPOOL_WEBHOOK_SECRET", given)
    said = "webhooks of project default are signed with RESPOOL_WEBHOOK_SECRET"
    made = respool_keys("create")
    assert made.stdout.startswith("rsp_")
    assert made.stderr.splitlines()[1:] == [said]
    refused = respool_keys("webhook-secret")
    assert (refused.exit_code, refused.stdout, refused.stderr) == (1, "", f"respool: {said}\n")
    assert live_secrets(store_client, "default") == []
    assert given not in made.output + refused.output
    assert "whsec_" in respool_keys("create", "--project", "film").stderr


@pytest.mark.parametrize("found", ["by its folder", "by its Redis"])
def test_where_up_signs_for_the_default_project_its_file_is_named_and_nothing_made(
    store_client: redis.Redis, running_up: DataFolder, monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    arguments = ["--data", str(running_up.path)]
    if found == "by its Redis":
        running_up.path.parent.joinpath(".respool").symlink_to(running_up.path)
        arguments = []
    made = respool_keys("create", *arguments)
    assert made.stdout.startswith("rsp_")
    assert made.stderr.splitlines()[1].endswith("/webhook-secret")
    assert "whsec_" not in made.output
    refused = respool_keys("webhook-secret", *arguments)
    assert refused.exit_code == 1
    assert "/webhook-secret" in refused.stderr
    assert live_secrets(store_client, "default") == []
    assert "whsec_" in respool_keys("create", "--project", "film", *arguments).stderr


def test_an_up_on_another_redis_does_not_sign_for_this_one(store_client: redis.Redis, tmp_path: Path) -> None:
    data = DataFolder(tmp_path / ".respool")
    with data.claimed():
        data.publish(
            Service(url="http://127.0.0.1:1", redis_url="redis://127.0.0.1:2/0", api_key="k", secret="s", pid=1)
        )
        assert "whsec_" in respool_keys("create").stderr
    assert len(live_secrets(store_client, "default")) == 1


def test_the_commands_explain_themselves() -> None:
    for arguments in (["create"], ["webhook-secret"]):
        shown = respool_keys(*arguments, "--help")
        assert shown.exit_code == 0
        assert "webhooks" in shown.output


def test_a_key_as_json_brings_all_that_is_shown_once(store_client: redis.Redis) -> None:
    made = json.loads(respool_keys("create", "--project", "film", "--json").stdout)
    key = Tenants(store_client, secret="pepper").find(made["key"])
    assert key is not None
    assert (made["id"], made["webhook_secret"]) == (key.id, live_secrets(store_client, "film")[0])
    listed = [json.loads(line) for line in respool_keys("list", "--json").stdout.splitlines()]
    assert [one["id"] for one in listed] == [key.id]
    assert json.loads(respool_keys("revoke", key.id, "--json").stdout)["revoked_at"] is not None
    assert json.loads(respool_keys("webhook-secret", "--project", "film", "--json").stdout)["project"] == "film"


def test_where_only_an_api_is_named_no_key_is_made_in_another_services_redis(
    store_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RESPOOL_REDIS_URL")
    monkeypatch.setenv("RESPOOL_URL", "https://respool.example")
    refused = respool_keys("create")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "RESPOOL_REDIS_URL" in refused.stderr
    assert store_client.keys() == []
