"""What the command line asks of the API, in the API's own words."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

import click

from respool.errors import Refused, Unreachable, understood
from respool.job_view import JobView, read_job
from respool.session import ANSWER_SECONDS, Session
from respool.target import Target
from respool.visible import shown

PAGE_ROWS = 100
SHORTEST_WAIT_SECONDS = 1.0
PATIENCE_SECONDS = 60.0
"""How long a service that was there may be away before nobody waits for it any more."""


class Api:
    """Raises what Session raises, from every method."""

    def __init__(self, target: Target) -> None:
        self.session = Session(target)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        return self.session.ask("GET", path, params=query)

    def post(self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None) -> dict[str, Any]:
        """`key` makes sending it twice harmless; without one, the answer is waited for once."""
        headers = {"Idempotency-Key": key} if key else {}
        return self.session.ask("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self.session.ask("PATCH", path, json=body)

    def delete(self, path: str) -> dict[str, Any]:
        return self.session.ask("DELETE", path)

    def entries(self, path: str, **query: Any) -> list[dict[str, Any]]:
        """Those of a list that has no pages."""
        return _entries(self.get(path, **query))

    def rows(self, path: str, *, most: int, **query: Any) -> Iterator[dict[str, Any]]:
        """The entries of a list over all its pages, at most so many."""
        after: dict[str, Any] = {}
        while most > 0:
            page = self.get(path, **query, limit=min(most, PAGE_ROWS), **after)
            found = _entries(page)
            _tell_left_out(page)
            yield from found[:most]
            most -= len(found)
            cursor = next((page[name] for name in ("next_after", "cursor", "last_id") if page.get(name)), None)
            if not page.get("has_more") or cursor is None or {"after": cursor} == after:
                return
            after = {"after": cursor}

    def submit(self, body: dict[str, Any], *, idempotency_key: str) -> JobView:
        return as_job(self.post("/v1/jobs", body, key=idempotency_key))

    def job(self, job_id: str, *, wait_seconds: int = 0) -> JobView:
        """The job; held back until it ends, but no longer than `wait_seconds`."""
        headers = {"Prefer": f"wait={wait_seconds}"} if wait_seconds else {}
        seconds = wait_seconds + ANSWER_SECONDS
        job = as_job(self.session.ask("GET", path_of("jobs", job_id), headers=headers, seconds=seconds))
        if job.id != job_id:
            raise Refused("the service answered with another job")
        return job

    def follow(self, job_id: str, *, every_seconds: int) -> Iterator[JobView]:
        """The job now, then each time it was waited for, until it has ended; a service that goes away is waited for."""
        job = self.job(job_id)
        yield job
        heard_at = time.monotonic()
        while not job.ended:
            asked_at = time.monotonic()
            try:
                job = self.job(job_id, wait_seconds=every_seconds)
            except Unreachable:
                if time.monotonic() - heard_at > PATIENCE_SECONDS:
                    raise
            else:
                heard_at = time.monotonic()
                yield job
            if not job.ended and (early := SHORTEST_WAIT_SECONDS - (time.monotonic() - asked_at)) > 0:
                # Something between us and the service does not hold answers back.
                time.sleep(early)

    def jobs(self, *, most: int, **query: Any) -> Iterator[JobView]:
        """The newest jobs, at most so many."""
        for document in self.rows("/v1/jobs", most=most, **query):
            yield as_job(document)


def _tell_left_out(page: Mapping[str, Any]) -> None:
    """That a list is not whole, to whoever sits there; what is written to standard output stays a list."""
    left_out = page.get("left_out")
    if isinstance(left_out, list) and left_out:
        ids = ", ".join(str(left) for left in left_out)
        click.echo(shown(f"respool: left out, since a newer release wrote it: {ids}"), err=True)


def path_of(kind: str, name: str, *rest: str) -> str:
    """`/v1/KIND/NAME/REST…`, whatever characters the name has. Raises Refused for what would lead elsewhere."""
    if name in ("", ".", ".."):
        raise Refused(f"{name!r} is no id")
    return "/".join(("/v1", kind, quote(name, safe=""), *rest))


def new_key() -> str:
    """An Idempotency-Key for all tries of one command: whatever gets lost on the way, it is done once."""
    return f"cli-{secrets.token_hex(16)}"


def as_job(document: dict[str, Any]) -> JobView:
    """Raises Refused if that is no job."""
    with understood():
        return read_job(document)


def _entries(page: dict[str, Any]) -> list[dict[str, Any]]:
    data = page.get("data")
    if not isinstance(data, list) or not all(isinstance(entry, dict) for entry in data):
        raise Refused("the service answered with something that is no list")
    return data
