import logging
from typing import Any

import pytest

from jobs.vault import Vault
from jobs.webhooks.deliveries import DeliveryClaim
from tests.fakes.bench import Bench
from worker.webhooks.keyring import Keyring


def claim(*sealed: str, **changes: Any) -> DeliveryClaim:
    values: dict[str, Any] = {
        "number": "d1", "attempt": 1, "step": 0, "event_id": "evt_1", "type": "response.completed",
        "url": "https://hooks.example.com/in", "include": "id", "body": b"{}", "project": "default",
        "endpoint_id": None, "signer": "project", "sealed": sealed, "trigger": "schedule",
    }  # fmt: skip
    return DeliveryClaim(**values | changes)


def test_all_that_sign_are_opened_in_their_order(vault: Vault) -> None:
    keyring = Keyring(vault, own_secret="")
    assert keyring.secrets_of(claim(vault.seal("new"), vault.seal("old"))) == ["new", "old"]


@pytest.mark.parametrize(
    ("changes", "secrets"),
    [
        ({}, ["set", "kept"]),
        ({"project": "other"}, ["kept"]),
        ({"signer": "own"}, ["kept"]),
        ({"signer": "endpoint"}, ["kept"]),
    ],
)
def test_the_one_of_the_settings_signs_for_the_default_project_alone(
    changes: dict[str, Any], secrets: list[str], vault: Vault
) -> None:
    assert Keyring(vault, own_secret="set").secrets_of(claim(vault.seal("kept"), **changes)) == secrets


def test_a_project_without_a_secret_has_none(vault: Vault) -> None:
    assert Keyring(vault, own_secret="").secrets_of(claim()) == []


def test_what_was_sealed_with_another_secret_is_left_out_and_told_of(
    vault: Vault, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    other = Vault(bench.client, secret="another")
    with caplog.at_level(logging.WARNING):
        found = Keyring(vault, own_secret="").secrets_of(claim(other.seal("hidden"), vault.seal("kept")))
    assert found == ["kept"]
    (line,) = caplog.messages
    assert "RESPOOL_SECRET" in line
    assert "evt_1" in line
    assert "default" in line
    assert "hidden" not in line


def test_where_it_goes_is_opened_and_what_an_older_release_wrote_is_taken_as_it_is(vault: Vault) -> None:
    keyring, url = Keyring(vault, own_secret=""), "https://hooks.example.com/in?token=x"
    assert keyring.url_of(claim(url=vault.seal(url))) == keyring.url_of(claim(url=url)) == url


def test_where_it_goes_is_told_of_if_it_cannot_be_opened(
    vault: Vault, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    sealed = Vault(bench.client, secret="another").seal("https://hooks.example.com/hidden")
    assert Keyring(vault, own_secret="").url_of(claim(url=sealed)) == ""
    assert "evt_1" in caplog.text
    assert "hidden" not in caplog.text
