"""Addresses of our own, as the outside sees them."""

from __future__ import annotations

from contextlib import suppress

from flask import request

from api.services import services
from jobs.record import Job
from schemas.webhook_url import same_origins


def own_origins() -> frozenset[str]:
    """SCHEME://HOST:PORT of RESPOOL_PUBLIC_URL and of the address by which the request came."""
    found: set[str] = set()
    for url in (services().settings.public_url, request.host_url):
        with suppress(ValueError):  # a Host header may say anything
            found |= same_origins(url)
    return frozenset(found)


def job_url(job: Job) -> str:
    """Under RESPOOL_PUBLIC_URL, or under the address by which the request came."""
    return f"{_base()}/v1/jobs/{job.id}"


def response_url(response_id: str) -> str:
    """Likewise."""
    return f"{_base()}/v1/responses/{response_id}"


def _base() -> str:
    return services().settings.public_url or request.host_url.rstrip("/")
