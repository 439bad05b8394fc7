"""Where the service is that a command speaks to: by options, by environment, or by the folder of a running `up`."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from respool.data_folder import DEFAULT_FOLDER, DataFolder, Service
from respool.errors import Unreachable, WrongSettings

if TYPE_CHECKING:
    from jobs.settings import Settings

Command = TypeVar("Command", bound=Callable[..., Any])

HOW_TO_START = "start one with `respool up`, or set RESPOOL_URL and RESPOOL_API_KEY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An API and the key for it."""

    url: str
    api_key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A Redis, the secret (or none) with which the keys in it are hashed, and the service's limits file (or none)."""

    redis_url: str
    secret: str
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

    The key is RESPOOL_API_KEY's, else that of the `up` that was found. Raises Unreachable if there is none of them.
    """
    service = _running(folder)
    address = url or (None if folder else os.environ.get("RESPOOL_URL")) or None
    if address is None:
        if service is None:
            raise Unreachable(f"no service runs on {folder or DEFAULT_FOLDER}; {HOW_TO_START}")
        return Target(url=service.url, api_key=os.environ.get("RESPOOL_API_KEY") or service.api_key)
    known = service.api_key if service is not None and service.url == address.rstrip("/") else ""
    return Target(url=address.rstrip("/"), api_key=os.environ.get("RESPOOL_API_KEY") or known)


def find_store(*, folder: Path | None) -> Store:
    """The Redis of the `up` on `folder`, else of RESPOOL_REDIS_URL, else of the `up` on .respool, else the default one.

    Raises WrongSettings, or Unreachable if no `up` runs on the `folder` that is asked for.
    """
    settings = _settings()
    service = None if folder is None and os.environ.get("RESPOOL_REDIS_URL") else _running(folder)
    if service is not None:
        limits_file = Path(service.limits_file) if service.limits_file else None
        return Store(redis_url=service.redis_url, secret=service.secret, limits_file=limits_file)
    if folder is not None:
        raise Unreachable(f"no service runs on {folder}; {HOW_TO_START}")
    return Store(redis_url=settings.redis_url, secret=settings.secret, limits_file=settings.limits_file)


def over_http(*, url: str | None, folder: Path | None) -> bool:
    """Whether a command that could do it on Redis itself has to ask the API: it is told of nothing but an API's URL."""
    if url or folder or os.environ.get("RESPOOL_REDIS_URL"):
        return bool(url)
    address = os.environ.get("RESPOOL_URL", "").rstrip("/")
    service = _running(None)
    return bool(address) and (service is None or service.url != address)


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
