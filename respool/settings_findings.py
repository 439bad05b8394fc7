"""What `doctor` sees in the environment of this machine, as the service's processes would read it."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import requests

from jobs.accounts import accounts_of, open_keys
from jobs.errors import SettingsError
from jobs.limits import Limits, read_limits
from jobs.settings import PREFIX, Settings, read_settings
from respool.findings import Finding, broken, doubtful, fine

OF_CLIENTS = {"RESPOOL_URL", "RESPOOL_API_KEY", "RESPOOL_REDIS_URL"}
ROOM_BYTES = 2 * 1024**3
UPSTREAM_SECONDS = 5.0


def of_environment(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Nothing where the environment is a mere client's."""
    set_here = [name for name, text in environ.items() if name.startswith(PREFIX) and text and name not in OF_CLIENTS]
    try:
        settings = read_settings(environ)
        limits = read_limits(settings.limits_file)
        if not set_here:
            return
        open_keys(limits.accounts, environ)
    except SettingsError as error:
        yield broken("settings", str(error), "correct it; .env.example lists all settings with their bounds")
        return
    yield fine("settings", f"{len(set_here)} are set, none of them wrong")
    if settings.limits_file is not None:
        count = len(limits.accounts) or 1
        yield fine("limits file", f"{settings.limits_file}: {count} account{'' if count == 1 else 's'}")
    yield from _folder(settings.files_folder)
    yield _signing(settings)
    if "RESPOOL_UPSTREAM_URL" in set_here or limits.accounts:
        yield from _upstreams(limits, settings, environ)


def _folder(folder: Path | None) -> Iterator[Finding]:
    if folder is None:
        return
    probe = folder / f".doctor-{secrets.token_hex(4)}"
    try:
        probe.touch()
        probe.unlink()
        room = shutil.disk_usage(folder).free
    except OSError as error:
        advice = "make it, and let the user of API and workers write to it"
        yield broken("files folder", f"{folder}: {error.strerror}", advice)
        return
    told = f"{folder}: {room / 1e9:.1f} GB free"
    if room < ROOM_BYTES:
        yield doubtful("files folder", told, "make room, or lower RESPOOL_FILES_BYTES")
    else:
        yield fine("files folder", told)


def _signing(settings: Settings) -> Finding:
    if settings.webhook_secret:
        return fine("webhook secret", "RESPOOL_WEBHOOK_SECRET signs for project default")
    return fine("webhook secret", "unset: each project's own signs; `respool keys webhook-secret` makes one")


def _upstreams(limits: Limits, settings: Settings, environ: Mapping[str, str]) -> Iterator[Finding]:
    for account in accounts_of(limits, settings, environ):
        yield of_upstream(account.name, account.url, settings)
        if not account.key:
            yield doubtful(f"upstream {account.name}", "has no key", "set RESPOOL_UPSTREAM_API_KEY, if it wants one")


def of_upstream(name: str, url: str, settings: Settings) -> Finding:
    """Whether anything answers at the address; no key is sent, and nothing is asked of a model."""
    with requests.Session() as session:
        session.trust_env = False
        if settings.upstream_proxy:
            session.proxies = {"http": settings.upstream_proxy, "https": settings.upstream_proxy}
        session.verify = os.fspath(settings.upstream_ca_file) if settings.upstream_ca_file else True
        try:
            with session.get(url, timeout=UPSTREAM_SECONDS, allow_redirects=False, stream=True) as answer:
                return fine(f"upstream {name}", f"{url} answers (HTTP {answer.status_code} without a key)")
        except requests.exceptions.SSLError as error:
            advice = "name its certificates in RESPOOL_UPSTREAM_CA_FILE, or correct the URL"
            return broken(f"upstream {name}", f"{url}: its certificate is not trusted ({_short(error)})", advice)
        except requests.RequestException as error:
            advice = "correct the URL, RESPOOL_UPSTREAM_PROXY or the network"
            return broken(f"upstream {name}", f"{url} does not answer ({_short(error)})", advice)


def _short(error: Exception) -> str:
    return type(error).__name__
