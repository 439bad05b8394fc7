"""Addresses of our own, as the outside sees them."""

from __future__ import annotations

from flask import request

from api.services import services
from jobs.record import Job


def job_url(job: Job) -> str:
    """Under RESPOOL_PUBLIC_URL, or under the address by which the request came."""
    base = services().settings.public_url or request.host_url.rstrip("/")
    return f"{base}/v1/jobs/{job.id}"
