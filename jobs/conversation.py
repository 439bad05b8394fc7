"""`previous_response_id`: the earlier turns of a conversation, from our own store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jobs.asked import Asked
from jobs.errors import JobNotFound, RequestRefused
from jobs.record import RESPONSE_PREFIX, Job, number_of
from jobs.store import JobStore
from schemas.input_items import turns

USABLE = ("completed", "incomplete")
FIELD = "previous_response_id"


def with_earlier_turns(asked: Asked, store: JobStore, *, project: str) -> Mapping[str, Any]:
    """The request with the input and the output of the response that it names put before its own input.

    That input has the turns before it already. The endpoint is not told the id, which is ours.
    Raises RequestRefused, StoreUnavailable.
    """
    request, previous_id = asked.request, asked.request.get(FIELD)
    if previous_id is None or not asked.ours:
        return request
    param = asked.request_at + FIELD
    previous = _usable(previous_id, store, project=project, param=param)
    try:
        earlier = store.request(previous.number)
    except JobNotFound as error:
        raise _not_found(previous_id, param) from error
    output = (previous.response or {}).get("output", [])
    rest = {name: value for name, value in request.items() if name != FIELD}
    return rest | {"input": turns(earlier["input"], output, request["input"])}


def _usable(response_id: str, store: JobStore, *, project: str, param: str) -> Job:
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise _not_found(response_id, param)
    try:
        job = store.get(number, project=project)
    except JobNotFound as error:
        raise _not_found(response_id, param) from error
    if job.finished_at is None:
        message = f"Previous response with id '{response_id}' has not ended; it is {job.status}."
        raise RequestRefused(message, param=param, code="previous_response_not_ended")
    if job.status not in USABLE:
        message = f"Previous response with id '{response_id}' has no output to go on from; it is {job.status}."
        raise RequestRefused(message, param=param, code="previous_response_without_output")
    return job


def _not_found(response_id: str, param: str) -> RequestRefused:
    message = f"Previous response with id '{response_id[:64]}' not found."
    return RequestRefused(message, param=param, code="previous_response_not_found")
