"""`previous_response_id`: the earlier turns of a conversation, from our own store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.auth import caller
from api.refusal import Refusal
from api.services import services
from jobs.errors import JobNotFound
from jobs.record import RESPONSE_PREFIX, Job, number_of
from schemas.input_items import turns

USABLE = ("completed", "incomplete")


def with_earlier_turns(request: Mapping[str, Any], *, param: str) -> Mapping[str, Any]:
    """The request with the input and the output of the response that it names put before its own input.

    That input has the turns before it already. The endpoint is not told the id, which is ours.
    Raises a Refusal of 400 that names `param`, StoreUnavailable.
    """
    previous_id = request.get("previous_response_id")
    if previous_id is None:
        return request
    previous = _usable(previous_id, param)
    try:
        earlier = services().store.request(previous.number)
    except JobNotFound as error:
        raise _not_found(previous_id, param) from error
    output = (previous.response or {}).get("output", [])
    rest = {name: value for name, value in request.items() if name != "previous_response_id"}
    return rest | {"input": turns(earlier["input"], output, request["input"])}


def _usable(response_id: str, param: str) -> Job:
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise _not_found(response_id, param)
    try:
        job = services().store.get(number, project=caller().project)
    except JobNotFound as error:
        raise _not_found(response_id, param) from error
    if job.finished_at is None:
        message = f"Previous response with id '{response_id}' has not ended; it is {job.status}."
        raise Refusal(400, message, param=param, code="previous_response_not_ended")
    if job.status not in USABLE:
        message = f"Previous response with id '{response_id}' has no output to go on from; it is {job.status}."
        raise Refusal(400, message, param=param, code="previous_response_without_output")
    return job


def _not_found(response_id: str, param: str) -> Refusal:
    message = f"Previous response with id '{response_id[:64]}' not found."
    return Refusal(400, message, param=param, code="previous_response_not_found")
