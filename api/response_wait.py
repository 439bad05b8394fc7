"""Waiting for a response on behalf of its caller, and letting go of what was not to be stored."""

from __future__ import annotations

import contextlib
import select
import socket

from flask import Response, after_this_request, request

from api.job_wait import awaited
from api.prefer import wait_seconds
from api.response_failure import refusal_of, wait_interrupted, wait_timeout
from api.services import services
from jobs.errors import JobNotEnded, JobNotFound, StoreUnavailable
from jobs.record import Job
from jobs.store import JobStore

MOST_SECONDS = 540.0
"""Before the 600 s after which SDKs give up by themselves; `Prefer: wait=N` waits for less."""

GOOD_ENDS = ("completed", "incomplete")


def waited_for(number: str, *, stored: bool) -> Job:
    """The job at its good end; one that is not to be stored is forgotten with the answer.

    Raises a Refusal of what it came to otherwise, JobNotFound, StoreUnavailable.
    """
    seconds = wait_seconds(request.headers.get("Prefer"), most=MOST_SECONDS, unasked=MOST_SECONDS)
    job = awaited(number, project=None, seconds=seconds)
    if job.finished_at is None and services().endings.closed:
        raise wait_interrupted(job.response_id)
    if job.finished_at is None:
        raise wait_timeout(job, services().waiting.of([job])[number].reason, seconds=seconds)
    if not stored:
        forget_answered(number)
    if job.status not in GOOD_ENDS:
        raise refusal_of(job, raw=services().store.raw_response(number))
    return job


def forget_answered(number: str) -> None:
    """Has the job forgotten once the present request is answered, if it has ended then and the caller did not leave."""
    store, connection = services().store, request.environ.get("gunicorn.socket")

    @after_this_request
    def forget(answer: Response) -> Response:
        if not has_left(connection):
            answer.call_on_close(lambda: _forget(store, number))
        return answer


def _forget(store: JobStore, number: str) -> None:
    with contextlib.suppress(JobNotEnded, JobNotFound, StoreUnavailable):
        store.delete(number, project=None)


def has_left(connection: socket.socket | None) -> bool:
    """Whether the client has closed its side; it sends nothing else while it waits for an answer."""
    if connection is None:
        return False
    try:
        readable, _, _ = select.select([connection], [], [], 0)
        return bool(readable) and connection.recv(1, socket.MSG_PEEK) == b""
    except (OSError, ValueError):
        return True
