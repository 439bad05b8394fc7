"""The upstream accounts: where each is reached, by which key, for which models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.errors import SettingsError
from jobs.limit_fields import read_text, refuse_others
from jobs.setting_texts import header_text, http_url
from jobs.settings import PREFIX, Settings

if TYPE_CHECKING:
    from jobs.limits import Limits

DEFAULT = "default"
"""The one account where the limits file names none."""

FIELDS = ("url", "api_key_variable", "models", "background")
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_OWN_VARIABLE = PREFIX + "UPSTREAM_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """`api_key_variable` None: no key is sent. `models` None: any. `background`: a background response can be asked
    for by its id."""

    name: str
    url: str
    api_key_variable: str | None = None
    models: tuple[str, ...] | None = None
    background: bool = False

    def has(self, model: str) -> bool:
        return self.models is None or model in self.models


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAccount:
    """What a caller of the account needs; `key` is "" where none is sent."""

    name: str
    url: str
    key: str = field(repr=False)
    background: bool


def read_account(name: str, table: Mapping[str, object]) -> Account:
    """The account of one table of the limits file. Raises ValueError, which names the field."""
    if not _NAME.fullmatch(name):
        raise ValueError("name must be 1 to 32 of a-z 0-9 _ -, and begin with a letter or digit")
    refuse_others(table, FIELDS)
    return Account(
        name=name,
        url=_url(read_text(table, "url")),
        api_key_variable=_variable(read_text(table, "api_key_variable")) if "api_key_variable" in table else None,
        models=_models(table["models"]) if "models" in table else None,
        background=_switch(table.get("background", False)),
    )


def open_keys(accounts: Iterable[Account], environ: Mapping[str, str]) -> dict[str, str]:
    """The key of each account by its name; "" where the account names no variable.

    Raises SettingsError, which names a variable that is unset or empty, or holds no printable ASCII; never its value.
    """
    return {account.name: _key(account, environ) for account in accounts}


def account_keys(limits: Limits, environ: Mapping[str, str]) -> list[str]:
    """What `environ` holds under the variables from which accounts take their keys."""
    variables = [account.api_key_variable for account in limits.accounts]
    return [environ[variable] for variable in variables if variable is not None and environ.get(variable)]


def accounts_of(limits: Limits, settings: Settings, environ: Mapping[str, str]) -> tuple[OpenAccount, ...]:
    """All accounts in the order of the file, ready to be called; without any in the file that of the settings.

    Raises SettingsError as `open_keys` does.
    """
    if not limits.accounts:
        return (OpenAccount(name=DEFAULT, url=settings.upstream_url, key=settings.upstream_api_key, background=False),)
    keys = open_keys(limits.accounts, environ)
    return tuple(
        OpenAccount(name=account.name, url=account.url, key=keys[account.name], background=account.background)
        for account in limits.accounts
    )


def _key(account: Account, environ: Mapping[str, str]) -> str:
    variable = account.api_key_variable
    if variable is None:
        return ""
    key = environ.get(variable, "")
    if not key:
        raise SettingsError(variable, f"is unset, but [accounts.{account.name}] takes its key from it")
    try:
        return header_text(key)
    except ValueError as error:
        raise SettingsError(variable, str(error)) from None


def _url(text: str) -> str:
    try:
        return http_url(text)
    except ValueError as error:
        raise ValueError(f"url {error}") from None


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        raise ValueError("api_key_variable must be the name of an environment variable")
    if text.startswith(PREFIX) and text != _OWN_VARIABLE:
        # Every process refuses variables with this prefix that are no setting.
        raise ValueError(f"api_key_variable must not begin with {PREFIX}, unless it is {_OWN_VARIABLE}")
    return text


def _models(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(name, str) and name for name in value):
        raise ValueError("models must be a list of at least one model name")
    return tuple(value)


def _switch(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("background must be true or false")
    return value
