"""`respool show`: all that is known of a job."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from respool.client import Api
from respool.displays import taken
from respool.errors import understood
from respool.job_view import JobView, as_job_id
from respool.moments import local
from respool.target import find_api, folder_option, json_option, url_option
from respool.visible import print_document, shown


@click.command()
@click.argument("job_id", metavar="ID")
@json_option("Print the whole job.")
@url_option
@folder_option
def show(job_id: str, as_json: bool, url: str | None, folder: Path | None) -> None:
    """Show all of a job: its attempts, its answer, what it took."""
    job = Api(find_api(url=url, folder=folder)).job(as_job_id(job_id))
    if as_json:
        print_document(job.document)
        return
    with understood():
        told = list(lines(job))
    for line in told:
        click.echo(line)


def lines(job: JobView) -> Iterator[str]:
    """The job for people; its answer comes last."""
    document = job.document
    for name, value in _facts(job):
        if value:
            yield shown(f"{name + ':':<10} {value}")
    for attempt in document["attempts"]:
        yield shown(f"attempt {attempt.get('number')}: {_attempt(attempt)}")
    yield from taken(job)
    if job.text:
        yield ""
        yield job.text


def _facts(job: JobView) -> Iterator[tuple[str, str]]:
    document = job.document
    yield "job", job.id
    yield "status", job.status + (f" ({job.outlook})" if job.outlook else "")
    yield "why", job.why or ""
    yield "model", job.model
    yield "project", str(document.get("project") or "")
    yield "account", str(document.get("account") or "")
    for name in ("created", "started", "finished", "expires"):
        yield name, local(document.get(f"{name}_at"))
    metadata = document.get("metadata")
    yield "metadata", json.dumps(metadata, ensure_ascii=False) if metadata else ""
    yield "webhook", str((document.get("webhook") or {}).get("url") or "")


def _attempt(attempt: Mapping[str, Any]) -> str:
    parts = [str(attempt.get("outcome") or "under way")]
    began, ended = attempt.get("started_at"), attempt.get("finished_at")
    if began is not None:
        parts.append(f"at {local(began)}" + ("" if ended is None else f", {ended - began:.1f} s"))
    if attempt.get("http_status"):
        parts.append(f"HTTP {attempt['http_status']}")
    if error := attempt.get("error"):
        parts.append(f"{error.get('code')}: {error.get('message')}" if isinstance(error, Mapping) else str(error))
    if attempt.get("may_be_billed") and attempt.get("outcome") not in ("completed", "incomplete"):
        parts.append("may be billed")
    return ", ".join(parts)
