"""The one reader of the environment: every setting, its bounds and its default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from jobs import setting_texts as texts
from jobs.errors import SettingsError
from schemas.addresses import Network
from schemas.allow import Allow

PREFIX = "RESPOOL_"
MIB = 1024 * 1024

Durability = Literal["everysec", "fsync", "replica"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Field `x_y` is the variable `RESPOOL_X_Y`; .env.example says what each is for."""

    redis_url: str = "redis://127.0.0.1:6379/0"
    unsafe_redis: Literal["refuse", "allow"] = "refuse"
    durability: Durability = "everysec"
    retention_seconds: float = 7 * 86400.0
    secret: str = ""
    old_secrets: tuple[str, ...] = ()
    api_key: str = ""
    wrong_keys_per_minute: int = 100
    trusted_proxies: tuple[Network, ...] = ()
    public_url: str = ""
    models: tuple[str, ...] = ()
    unknown_fields: Literal["refuse", "forward"] = "refuse"
    fetched_addresses: Literal["any", "public"] = "any"
    max_body_bytes: int = 32 * MIB
    max_queued_bytes: int = 1024 * MIB
    max_attempts: int = 5
    on_unknown: str = "retry"
    ageing_seconds: float = 60.0
    limits_file: Path | None = None
    files_folder: Path | None = None
    max_file_bytes: int = 512 * MIB
    files_bytes: int = 20480 * MIB
    file_delivery: Literal["data", "url"] = "data"
    upstream_url: str = "https://www.anyfast.ai/v1"
    upstream_api_key: str = ""
    upstream_proxy: str = ""
    upstream_ca_file: Path | None = None
    upstream_max_bytes: int = 64 * MIB
    connect_timeout_seconds: float = 10.0
    read_timeout_seconds: float = 600.0
    run_timeout_seconds: float = 3600.0
    slots: int = 1000
    webhook_secret: str = ""
    webhook_allow: Allow = Allow()  # noqa: RUF009 - it cannot be changed
    webhook_schedule: tuple[float, ...] = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    webhook_timeout_seconds: float = 15.0
    webhook_slots: int = 500
    webhook_rate: int = 0
    webhook_disable_seconds: float = 5 * 86400.0
    webhook_ca_file: Path | None = None
    grace_seconds: float = 25.0
    metrics_token: str = ""
    log_level: str = "INFO"
    log_format: Literal["", "text", "json"] = ""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Settings from `environ`; an empty variable counts as absent.

    Raises SettingsError, which names the variable and the bound and never shows the value of a secret.
    """
    _refuse_unknown(environ)
    given = {f.name: environ.get(PREFIX + f.name.upper(), "") for f in fields(Settings)}
    values = {name: _read(name, text) for name, text in given.items() if text != ""}
    settings = Settings(**values)  # type: ignore[arg-type]
    if settings.file_delivery == "url" and not settings.public_url:
        raise SettingsError("RESPOOL_FILE_DELIVERY", "is url, which needs RESPOOL_PUBLIC_URL")
    return settings


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


OTHER_VARIABLES = {
    "RESPOOL_URL",
    "RESPOOL_CHAOS",
    "RESPOOL_CHAOS_SEED",
    "RESPOOL_CHAOS_SCALE",
    "RESPOOL_FUZZ",
    "RESPOOL_FUZZ_SEED",
    "RESPOOL_LOAD",
    "RESPOOL_LOAD_SEED",
    "RESPOOL_LOAD_READERS",
    "RESPOOL_LOAD_SECONDS",
    "RESPOOL_SOAK",
    "RESPOOL_SOAK_SEED",
    "RESPOOL_SOAK_SECONDS",
}
"""Variables of the command line and of the tests, which no service reads."""


_READERS: dict[str, Callable[[str], object]] = {
    "redis_url": texts.redis_url,
    "unsafe_redis": texts.choice("refuse", "allow"),
    "durability": texts.choice("everysec", "fsync", "replica"),
    "retention_seconds": texts.seconds(60, 366 * 86400),
    "old_secrets": texts.words,
    "api_key": texts.header_text,
    "wrong_keys_per_minute": texts.whole(1),
    "trusted_proxies": texts.networks,
    "public_url": texts.http_url,
    "models": texts.names,
    "unknown_fields": texts.choice("refuse", "forward"),
    "fetched_addresses": texts.choice("any", "public"),
    "max_body_bytes": texts.whole(1024, 1024 * MIB),
    "max_queued_bytes": texts.whole(1024),
    "max_attempts": texts.whole(1, 100),
    "on_unknown": texts.choice("retry", "fail"),
    "ageing_seconds": texts.seconds(0, 86400),
    "limits_file": texts.file,
    "files_folder": texts.folder,
    "max_file_bytes": texts.whole(1),
    "files_bytes": texts.whole(1),
    "file_delivery": texts.choice("data", "url"),
    "upstream_url": texts.http_url,
    "upstream_api_key": texts.header_text,
    "upstream_proxy": texts.http_url,
    "upstream_ca_file": texts.file,
    "upstream_max_bytes": texts.whole(1024, 1024 * MIB),
    "connect_timeout_seconds": texts.seconds(0.1, 300),
    "read_timeout_seconds": texts.seconds(0.1, 86400),
    "run_timeout_seconds": texts.seconds(0.1, 86400),
    "slots": texts.whole(1, 20000),
    "webhook_secret": texts.signing_secret,
    "webhook_allow": Allow.parse,
    "webhook_schedule": texts.schedule,
    "webhook_timeout_seconds": texts.seconds(1, 30),
    "webhook_slots": texts.whole(1, 5000),
    "webhook_rate": texts.whole(0, 100000),
    "webhook_disable_seconds": texts.seconds(60, 60 * 86400),
    "webhook_ca_file": texts.file,
    "grace_seconds": texts.seconds(0, 86400),
    "metrics_token": texts.header_text,
    "log_level": texts.choice("DEBUG", "INFO", "WARNING", "ERROR"),
    "log_format": texts.choice("text", "json"),
}
