"""The limits file: how fast and how wide each lane may run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from jobs.errors import SettingsError

NAME = "RESPOOL_LIMITS_FILE"
FIELDS = ("requests_per_minute", "tokens_per_minute", "in_flight", "burst")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLimits:
    """None means unlimited. `burst` is in requests; None means 1 % of `requests_per_minute`, at least 1."""

    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    in_flight: int = 1000
    burst: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    default: LaneLimits = LaneLimits()
    models: Mapping[str, LaneLimits] = field(default_factory=dict)

    def as_json(self) -> str:
        """The form that the dispatch script reads: `{"default": {…}, "models": {NAME: {…}}}`, no nulls."""
        return json.dumps(
            {
                "default": _present(self.default),
                "models": {name: _present(lane) for name, lane in self.models.items()},
            }
        )


def _present(lane: LaneLimits) -> dict[str, int]:
    return {name: value for name, value in asdict(lane).items() if value is not None}


def read_limits(path: Path | None) -> Limits:
    """Limits from the TOML file at `path`; without one no rate limit and 1,000 calls in flight a lane.

    Raises SettingsError, which names the table, the field and the bound.
    """
    if path is None:
        return Limits()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(NAME, f"cannot be read: {error}") from error
    _refuse_others(document, ("default", "models"), "the file")
    default = _lane(_table(document, "default"), "[default]", LaneLimits())
    models = _table(document, "models")
    return Limits(
        default=default,
        models={name: _lane(_table(models, name), f'[models."{name}"]', default) for name in models},
    )


def _table(document: Mapping[str, object], name: str) -> Mapping[str, object]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(NAME, f"{name} must be a table")
    return table


def _lane(table: Mapping[str, object], where: str, default: LaneLimits) -> LaneLimits:
    _refuse_others(table, FIELDS, where)
    for name, value in table.items():
        if type(value) is not int or not 1 <= value <= 10**12:
            raise SettingsError(NAME, f"{where} {name} must be a whole number from 1 to {10**12}")
    values = asdict(default) | dict(table)
    if "requests_per_minute" in table and "burst" not in table:
        values["burst"] = None  # a burst belongs to its own rate
    lane = LaneLimits(**values)
    if lane.burst is not None and lane.burst >= (lane.requests_per_minute or 10**13):
        raise SettingsError(NAME, f"{where} burst must be smaller than requests_per_minute")
    return lane


def _refuse_others(table: Mapping[str, object], known: tuple[str, ...], where: str) -> None:
    for name in table:
        if name not in known:
            raise SettingsError(NAME, f"{where} has no field {name!r}; known are {', '.join(known)}")
