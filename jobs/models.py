"""The models and accounts that a job may name."""

from __future__ import annotations

from jobs.errors import SettingsError
from jobs.limits import Limits
from jobs.settings import Settings
from schemas.request import DEFAULT_MODELS
from schemas.respool_options import Accounts


def models_of(settings: Settings, limits: Limits) -> frozenset[str] | None:
    """The models that may be named: those of the settings that an account has. None: any.

    Raises SettingsError if there would be none.
    """
    named = None if "*" in settings.models else frozenset(settings.models or DEFAULT_MODELS)
    had = _models_of_all(accounts_of(limits))
    if named is None or had is None:
        return had if named is None else named
    if not named & had:
        raise SettingsError("RESPOOL_MODELS", "names no model that an account of the limits file has")
    return named & had


def accounts_of(limits: Limits) -> Accounts:
    """The models of each account by its name; None: any."""
    models = {account.name: account.models for account in limits.accounts}
    return {name: None if models.get(name) is None else frozenset(models[name] or ()) for name in limits.account_names}


def _models_of_all(accounts: Accounts) -> frozenset[str] | None:
    held = [models for models in accounts.values() if models is not None]
    return frozenset().union(*held) if len(held) == len(accounts) else None
