"""The one reader of the environment: every setting, its bounds and its default."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from jobs.errors import SettingsError

PREFIX = "RESPOOL_"
MIB = 1024 * 1024

Durability = Literal["everysec", "fsync", "replica"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Field `x_y` is the variable `RESPOOL_X_Y`; .env.example says what each is for."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    durability: Durability = "everysec"
    retention_seconds: float = 7 * 86400.0
    secret: str = ""
    api_key: str = ""
    public_url: str = ""
    models: tuple[str, ...] = ()
    unknown_fields: Literal["refuse", "forward"] = "refuse"
    max_body_bytes: int = 32 * MIB
    max_queued_bytes: int = 1024 * MIB
    max_attempts: int = 5
    on_unknown: str = "retry"
    ageing_seconds: float = 60.0
    limits_file: Path | None = None
    upstream_url: str = "https://www.anyfast.ai/v1"
    upstream_api_key: str = ""
    upstream_proxy: str = ""
    upstream_ca_file: Path | None = None
    upstream_max_bytes: int = 64 * MIB
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 600.0
    run_timeout_seconds: float = 3600.0
    slots: int = 1000
    grace_seconds: float = 25.0
    log_level: str = "INFO"


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ`; an empty variable counts as absent.

    Raises SettingsError, which names the variable and the bound and never shows the value of a secret.
    """
    _refuse_unknown(environ)
    given = {f.name: environ.get(PREFIX + f.name.upper(), "") for f in fields(Settings)}
    values = {name: _read(name, text) for name, text in given.items() if text != ""}
    return Settings(**values)  # type: ignore[arg-type]


def _read(name: str, text: str) -> object:
    try:
        return _READERS.get(name, str)(text)
    except ValueError as error:
        raise SettingsError(PREFIX + name.upper(), str(error)) from None


def _refuse_unknown(environ: Mapping[str, str]) -> None:
    known = {PREFIX + f.name.upper() for f in fields(Settings)} | OTHER_VARIABLES
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            raise SettingsError(name, "no such setting; .env.example lists all of them")


OTHER_VARIABLES = {"RESPOOL_URL", "RESPOOL_CHAOS"}
"""Variables of the command line and of the tests, which no service reads."""


def _whole(low: int, high: int = 2**53) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or len(text) > 20 or not low <= int(text) <= high:
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _seconds(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise ValueError(f"must be a number of seconds from {low:g} to {high:g}")
        return value

    return read


def _choice(*names: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return text

    return read


def _url(*schemes: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        scheme, separator, rest = text.partition("://")
        if scheme not in schemes or not separator or not rest or any(c.isspace() for c in text):
            raise ValueError(f"must be a URL that starts with {', '.join(s + '://' for s in schemes)}")
        return text.rstrip("/")

    return read


def http_url(text: str) -> str:
    url = _url("http", "https")(text)
    try:
        urlsplit(url).port  # noqa: B018 - reading it checks it
    except ValueError:
        raise ValueError("must name a port from 0 to 65535") from None
    return url


_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|[^\s/:@,\[\]?]+)(?::(?:[0-5]?\d{1,4}|6[0-4]\d{3}|65[0-4]\d\d|655[0-2]\d|6553[0-5]))?"
_REDIS_URL = re.compile(
    rf"rediss?://(?:[^/]*@)?{_HOST}(?:/\d*)?(?:\?.*)?|rediss?\+sentinel://(?:[^/]*@)?{_HOST}(?:,{_HOST})*(?:/[^/?]+(?:/\d+)?)?"
)


def _redis_url(text: str) -> str:
    url = _url("redis", "rediss", "redis+sentinel", "rediss+sentinel")(text)
    if not _REDIS_URL.fullmatch(url):
        raise ValueError("must be redis://USER:PASSWORD@HOST:PORT/NUMBER or redis+sentinel://HOST:PORT,…/MASTER/NUMBER")
    return url


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError("must name a file that exists")
    return path


def header_text(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("must be printable ASCII, since it is sent in a header")
    return text


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise ValueError("must be a comma-separated list of model names, or *")
    return names


_READERS: dict[str, Callable[[str], object]] = {
    "redis_url": _redis_url,
    "durability": _choice("everysec", "fsync", "replica"),
    "retention_seconds": _seconds(60, 366 * 86400),
    "api_key": header_text,
    "public_url": http_url,
    "models": _names,
    "unknown_fields": _choice("refuse", "forward"),
    "max_body_bytes": _whole(1024, 1024 * MIB),
    "max_queued_bytes": _whole(1024),
    "max_attempts": _whole(1, 100),
    "on_unknown": _choice("retry", "fail"),
    "ageing_seconds": _seconds(0, 86400),
    "limits_file": _file,
    "upstream_url": http_url,
    "upstream_api_key": header_text,
    "upstream_proxy": http_url,
    "upstream_ca_file": _file,
    "upstream_max_bytes": _whole(1024, 1024 * MIB),
    "connect_timeout_seconds": _seconds(0.1, 300),
    "read_timeout_seconds": _seconds(0.1, 86400),
    "run_timeout_seconds": _seconds(0.1, 86400),
    "slots": _whole(1, 20000),
    "grace_seconds": _seconds(0, 86400),
    "log_level": _choice("DEBUG", "INFO", "WARNING", "ERROR"),
}
