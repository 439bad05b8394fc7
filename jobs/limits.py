"""The limits file: the accounts, how fast and how wide each lane may run, and what tokens cost."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from jobs.accounts import DEFAULT, Account, read_account
from jobs.estimate import EstimateRule, read_rule
from jobs.limit_fields import Decimals, Whole, read_numbers, refuse_others
from jobs.limits_file import read_document, read_each, read_one, read_whole
from jobs.prices import Price, read_price

TABLES = ("currency", "default", "models", "lanes", "accounts", "prices", "estimate")
_COUNT = Whole(low=1, high=10**12)
FIELDS: Mapping[str, Whole | Decimals] = {
    "requests_per_minute": _COUNT,
    "tokens_per_minute": _COUNT,
    "in_flight": _COUNT,
    "ramp_per_second": Decimals(low=0.01, high=100_000),
    "burst": _COUNT,
}
_CURRENCY = re.compile(r"[A-Za-z]{1,16}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """None means unlimited. `ramp_per_second`: how many calls in flight may be added a second. `burst` is in requests;
    None means 1 % of `requests_per_minute`, at least 1."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    in_flight: int = 1000
    ramp_per_second: float | None = None
    burst: int | None = None

    def changed(self, change: Mapping[str, int | float | None]) -> LaneLimits:
        """These limits with what `change` says; its Nones change nothing.

        Raises ValueError if the burst would not be smaller than its rate.
        """
        values: dict[str, Any] = {name: value for name, value in change.items() if value is not None}
        if "requests_per_minute" in values:
            values = {"burst": None} | values  # a burst belongs to its own rate
        lane = replace(self, **values)
        if lane.burst is not None and lane.burst >= (lane.requests_per_minute or 10**13):
            raise ValueError("burst must be smaller than requests_per_minute")
        return lane


def check_change(values: Mapping[str, object]) -> dict[str, int | float | None]:
    """A change of a lane made at run time; None takes a field back to what the file says.

    Raises ValueError, which names the field and its bounds. Whether a burst fits a rate that is not in the same
    change shows when it is applied: `LaneLimits.changed`.
    """
    refuse_others(values, FIELDS)
    found = {name: None if value is None else FIELDS[name].read(name, value) for name, value in values.items()}
    if found.get("requests_per_minute") is not None:
        LaneLimits().changed(found)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All that the file says. `models` and `lanes` are whole: already laid over what they leave out."""

    default: LaneLimits = LaneLimits()
    models: Mapping[str, LaneLimits] = field(default_factory=dict)
    lanes: Mapping[str, LaneLimits] = field(default_factory=dict)
    accounts: tuple[Account, ...] = ()
    prices: Mapping[str, Price] = field(default_factory=dict)
    currency: str = "USD"
    estimate: EstimateRule = field(default_factory=EstimateRule)

    @property
    def account_names(self) -> tuple[str, ...]:
        """In the order in which they are tried; `default` alone where the file names none."""
        return tuple(account.name for account in self.accounts) or (DEFAULT,)

    def serves(self, model: str, *, account: str | None = None) -> bool:
        """Whether `account`, or any account, has the model."""
        if not self.accounts:
            return account in (None, DEFAULT)
        return any(each.has(model) for each in self.accounts if account in (None, each.name))

    def limits_of(self, lane: str) -> LaneLimits:
        """Of the lane `ACCOUNT:MODEL`, as the file says."""
        model = lane.partition(":")[2]
        return self.lanes.get(lane) or self.models.get(model) or self.default

    def as_json(self) -> str:
        """The form that the dispatch script reads, without nulls; what it takes for a lane is the first that exists of
        lanes[LANE], models[MODEL] and default: `{"default": {…}, "models": {MODEL: {…}}, "lanes": {LANE: {…}},
        "accounts": [{"name": NAME, "models": [MODEL, …] or absent}]}`."""
        accounts: list[dict[str, object]] = [
            {"name": account.name} | ({} if account.models is None else {"models": account.models})
            for account in self.accounts
        ]
        return json.dumps(
            {
                "default": _present(self.default),
                "models": {name: _present(lane) for name, lane in self.models.items()},
                "lanes": {name: _present(lane) for name, lane in self.lanes.items()},
                "accounts": accounts or [{"name": DEFAULT}],
            }
        )


def _present(lane: LaneLimits) -> dict[str, int | float]:
    return {name: value for name, value in asdict(lane).items() if value is not None}


def read_limits(path: Path | None) -> Limits:
    """What the TOML file at `path` says; without one no rate limit and 1,000 calls in flight a lane.

    Raises SettingsError, which names the table, the field and the bound.
    """
    if path is None:
        return Limits()
    document = read_document(path)
    currency = read_whole(document, _currency)
    default = read_one(document, "default", lambda table: _over(LaneLimits(), table))
    limits = Limits(
        default=default,
        models=read_each(document, "models", lambda _, table: _over(default, table)),
        accounts=tuple(read_each(document, "accounts", read_account).values()),
        prices=read_each(document, "prices", lambda _, table: read_price(table)),
        currency=currency,
        estimate=read_one(document, "estimate", read_rule),
    )
    return replace(limits, lanes=read_each(document, "lanes", lambda lane, table: _lane(limits, lane, table)))


def _currency(document: Mapping[str, object]) -> str:
    refuse_others(document, TABLES)
    currency = document.get("currency", "USD")
    if not isinstance(currency, str) or not _CURRENCY.fullmatch(currency):
        raise ValueError('currency must be 1 to 16 letters, such as "USD"')
    return currency


def _lane(limits: Limits, lane: str, table: Mapping[str, object]) -> LaneLimits:
    account, _, model = lane.partition(":")
    if not model or account not in limits.account_names:
        raise ValueError(f"must be named ACCOUNT:MODEL, with an account of {', '.join(limits.account_names)}")
    if not limits.serves(model, account=account):
        raise ValueError(f"is never used: the account {account} does not have the model {model!r}")
    return _over(limits.limits_of(lane), table)


def _over(lane: LaneLimits, table: Mapping[str, object]) -> LaneLimits:
    return lane.changed(read_numbers(table, FIELDS))
