"""Where the service is that a command speaks to: by options, by environment, or by the folder of a running `up`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

from respool.data_folder import DEFAULT_FOLDER, DataFolder, Service
from respool.errors import Unreachable, WrongSettings

if TYPE_CHECKING:
    from jobs.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

_UNPRINTED = re.compile(r"[\s\x00-\x20\x7f]")

HOW_TO_START = "start one with `respool up`, or set RESPOOL_URL and RESPOOL_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An API and the key for it."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A Redis, the secret (or none) with which its keys are hashed, those of before, and the service's limits file (or
    none)."""

    redis_url: str
    secret: str
    old_secrets: tuple[str, ...] = ()
    limits_file: Path | None = None


def folder_option(command: Command) -> Command:
    return click.option(
        "--data",
        "folder",
        type=click.Path(file_okay=False, path_type=Path),
        help=f"Folder of a running `respool up`.  [default: {DEFAULT_FOLDER}]",
    )(command)


def url_option(command: Command) -> Command:
    return click.option("--url", help="Base URL of the service.  [env: RESPOOL_URL]")(command)


def json_option(help: str) -> Callable[[Command], Command]:
    return click.option("--json", "as_json", is_flag=True, help=help)


def find_api(*, url: str | None, folder: Path | None) -> Target:
    """`url`, else the `up` on `folder`, else RESPOOL_URL, else the `up` on .respool.

    The key is RESPOOL_API_KEY's, else that of the `up` that was found. Raises WrongSettings, or
    Unreachable if there is none of them.
    """
    service, key = _running(folder), _key()
    address = url or (None if folder else os.environ.get("RESPOOL_URL")) or None
    if address is None:
        if service is None:
            raise _nothing_on(folder or DEFAULT_FOLDER)
        return Target(url=service.url, api_key=key or service.api_key)
    base = base_of(address)
    known = service.api_key if service is not None and service.url == base else ""
    return Target(url=base, api_key=key or known)


def base_of(address: str) -> str:
    """The service's address, also where somebody gives the base URL of an SDK (`…/v1`). Raises WrongSettings."""
    try:
        parts = urlsplit(address := address.strip())
        good = (
            parts.scheme in ("http", "https") and parts.hostname and parts.port != 0 and not _UNPRINTED.search(address)
        )
    except ValueError:
        good = False
    if not good:
        raise WrongSettings(f"{address!r} is no address of a service, such as http://127.0.0.1:8000")
    return address.rstrip("/").removesuffix("/v1")


def _nothing_on(folder: Path) -> Unreachable:
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        return Unreachable(f"{folder} is not yours to read, so a service on it cannot be found; {HOW_TO_START}")
    return Unreachable(f"no service runs on {folder}; {HOW_TO_START}")


def _key() -> str:
    """RESPOOL_API_KEY; empty if unset. Raises WrongSettings, which does not show it."""
    key = os.environ.get("RESPOOL_API_KEY", "").strip()
    if not key.isascii() or _UNPRINTED.search(key):
        raise WrongSettings("RESPOOL_API_KEY holds characters that no key has, such as a space or the end of a line")
    return key


def find_store(*, folder: Path | None) -> Store:
    """The Redis of the `up` on `folder`, else of RESPOOL_REDIS_URL, else of the `up` on .respool, else the default one.

    Raises WrongSettings, or Unreachable if no `up` runs on the `folder` that is asked for.
    """
    settings = _settings()
    service = None if folder is None and os.environ.get("RESPOOL_REDIS_URL") else _running(folder)
    if service is not None:
        limits_file = Path(service.limits_file) if service.limits_file else None
        return Store(
            redis_url=service.redis_url,
            secret=service.secret,
            old_secrets=settings.old_secrets,
            limits_file=limits_file,
        )
    if folder is not None:
        raise _nothing_on(folder)
    return Store(
        redis_url=settings.redis_url,
        secret=settings.secret,
        old_secrets=settings.old_secrets,
        limits_file=settings.limits_file,
    )


def over_http(*, url: str | None, folder: Path | None) -> bool:
    """Whether a command that could do it on Redis itself has to ask the API: it is told of nothing but an API's URL."""
    if url or folder or os.environ.get("RESPOOL_REDIS_URL"):
        return bool(url)
    address = os.environ.get("RESPOOL_URL", "")
    service = _running(None)
    return bool(address) and (service is None or service.url != base_of(address))


def _settings() -> Settings:
    """Of this command, which needs no key of an upstream account."""
    # What only asks the API starts twice as fast without the store's modules.
    from jobs.errors import SettingsError
    from jobs.settings import read_settings

    try:
        return read_settings(os.environ)
    except SettingsError as error:
        raise WrongSettings(str(error)) from error


def _running(folder: Path | None) -> Service | None:
    return DataFolder(folder or DEFAULT_FOLDER).service()
