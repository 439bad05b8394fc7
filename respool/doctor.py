"""`respool doctor`: looks for what is wrong, and says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import click
import redis

from jobs.connection import connect
from jobs.errors import SettingsError
from jobs.settings import read_settings
from respool.client import Api
from respool.errors import CommandError
from respool.exits import Exit
from respool.findings import Finding, broken
from respool.key_store import secrets_of
from respool.redis_findings import of_redis
from respool.service_findings import of_service
from respool.settings_findings import of_environment
from respool.target import Store, find_api, find_store, folder_option, json_option, over_http, url_option
from respool.visible import print_line, shown

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@json_option("Print what was found, one a line: level, subject, told, advice.")
@url_option
@folder_option
def doctor(as_json: bool, url: str | None, folder: Path | None) -> None:
    """Look for what is wrong, and say what to do.

    Looks at the API, the key, Redis where it can be reached (that of the running `respool up`, or of
    RESPOOL_REDIS_URL), the workers, the lanes, the limits, and the settings of this environment. Each line is ok, warn
    or fail; ends with 1 if one of them is fail.
    """
    failed = False
    for finding in _findings(url=url, folder=folder):
        failed = failed or finding.level == "fail"
        print_line(asdict(finding)) if as_json else _tell(finding)
    if failed:
        raise click.exceptions.Exit(Exit.FAILED)


def _findings(*, url: str | None, folder: Path | None) -> Iterator[Finding]:
    yield from of_environment(os.environ)
    store = _store(url=url, folder=folder)
    if isinstance(store, Store):
        try:
            durability = read_settings(os.environ).durability
            with connect(store.redis_url) as client:
                yield from of_redis(client, durability=durability, secrets=secrets_of(client, store))
        except (SettingsError, redis.RedisError, ValueError) as error:
            yield broken("redis", str(error), "correct RESPOOL_REDIS_URL")
    try:
        api = Api(find_api(url=url, folder=folder))
    except CommandError as error:
        yield broken("api", error.message, "start it, or say where it is")
        return
    yield from of_service(api, sees_redis=store is not None)


def _store(*, url: str | None, folder: Path | None) -> Store | None:
    """None where the Redis of the service is not known here."""
    if over_http(url=url, folder=folder):
        return None
    try:
        return find_store(folder=folder)
    except CommandError:
        return None


def _tell(finding: Finding) -> None:
    """Colours go only to a terminal, and not where NO_COLOR is set."""
    level = f"{finding.level:<4}"
    if not os.environ.get("NO_COLOR"):
        level = click.style(level, fg=COLOURS[finding.level])
    click.echo(f"{level}  {shown(finding.subject)}: {shown(finding.told)}")
    if finding.advice:
        click.echo(f"      → {shown(finding.advice)}")
