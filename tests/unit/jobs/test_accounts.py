from dataclasses import replace
from typing import Any

import pytest

from jobs.accounts import Account, OpenAccount, accounts_of, open_keys, read_account
from jobs.errors import SettingsError
from jobs.limits import Limits
from jobs.settings import Settings

A = Account(name="a", url="https://a.example/v1", api_key_variable="A_KEY", background=True)
B = Account(name="b", url="https://b.example/v1", models=("m",))


def test_a_table_may_leave_out_all_but_the_url() -> None:
    assert read_account("a", {"url": "https://a.example/v1/"}) == Account(name="a", url="https://a.example/v1")


def test_a_table_may_say_everything() -> None:
    table = {"url": A.url, "api_key_variable": "A_KEY", "models": ["m", "n"], "background": True}
    assert read_account("a", table) == replace(A, models=("m", "n"))


@pytest.mark.parametrize("name", ["a", "0", "a-b_c9", "x" * 32])
def test_names_are_short_and_plain(name: str) -> None:
    assert read_account(name, {"url": "http://h"}).name == name


@pytest.mark.parametrize("name", ["", "A", "-a", "_a", "a:b", "a b", "*", "ä", "x" * 33, "a\n"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"^name must be 1 to 32 of"):
        read_account(name, {"url": "http://h"})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": None}, "url must be a string"),
        ({"url": "ftp://h"}, "url must be a URL that starts with http://, https://"),
        ({"url": "https://h:99999"}, "url must name a port"),
        ({"api_key_variable": ""}, "api_key_variable must be a string"),
        ({"api_key_variable": "sk-1"}, "api_key_variable must be the name of an environment variable"),
        ({"api_key_variable": "RESPOOL_A_KEY"}, "api_key_variable must not begin with RESPOOL_"),
        ({"models": []}, "models must be a list of at least one"),
        ({"models": "m"}, "models must be a list"),
        ({"models": ["m", ""]}, "models must be a list"),
        ({"models": ["m", 5]}, "models must be a list"),
        ({"background": 1}, "background must be true or false"),
        ({"key": "sk-1"}, "'key' is no field here; known are url, api_key_variable, models, background"),
    ],
)
def test_a_mistake_names_its_field(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=f"^{said}"):
        read_account("a", {"url": "http://h"} | changes)


def test_an_account_may_take_the_key_of_the_settings() -> None:
    account = read_account("a", {"url": "http://h", "api_key_variable": "RESPOOL_UPSTREAM_API_KEY"})
    assert open_keys([account], {"RESPOOL_UPSTREAM_API_KEY": "k"}) == {"a": "k"}


def test_an_account_has_its_models_or_any() -> None:
    assert A.has("m")
    assert B.has("m")
    assert not B.has("n")


def test_keys_are_taken_from_the_variables_that_are_named() -> None:
    assert open_keys([A, B], {"A_KEY": "secret", "OTHER": "x"}) == {"a": "secret", "b": ""}


@pytest.mark.parametrize("environ", [{}, {"A_KEY": ""}])
def test_a_variable_without_a_key_is_named(environ: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^A_KEY: is unset, but \[accounts.a\]") as caught:
        open_keys([A], environ)
    assert caught.value.name == "A_KEY"


@pytest.mark.parametrize("key", ["sécret", "sec\nret", "sec\x7fret"])
def test_a_key_that_fits_no_header_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(SettingsError, match=r"^A_KEY: must be printable ASCII") as caught:
        open_keys([A], {"A_KEY": key})
    assert "ret" not in str(caught.value)


def test_accounts_come_in_order_with_their_keys() -> None:
    assert accounts_of(Limits(accounts=(B, A)), Settings(upstream_api_key="other"), {"A_KEY": "secret"}) == (
        OpenAccount(name="b", url=B.url, key="", background=False),
        OpenAccount(name="a", url=A.url, key="secret", background=True),
    )


def test_without_accounts_in_the_file_the_settings_make_the_only_one() -> None:
    settings = Settings(upstream_url="https://one.example/v1", upstream_api_key="k")
    (account,) = accounts_of(Limits(), settings, {})
    assert account == OpenAccount(name="default", url="https://one.example/v1", key="k", background=False)


def test_a_key_is_never_shown() -> None:
    (account,) = accounts_of(Limits(accounts=(A,)), Settings(), {"A_KEY": "secret"})
    assert "secret" not in f"{account!r} {account}"
