"""The ids of responses: those that can be ours, and the one answer for all others."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.refusal import response_not_found
from jobs.errors import CursorNotFound, JobNotFound
from jobs.record import RESPONSE_PREFIX, number_of


@contextmanager
def known(response_id: str) -> Iterator[str]:
    """The number of the response's job. Raises a Refusal of 404, also where JobNotFound is raised inside."""
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise response_not_found(response_id)
    try:
        yield number
    except JobNotFound as error:
        raise response_not_found(response_id) from error


def cursor(response_id: str) -> str:
    """The number behind which a page begins. Raises CursorNotFound."""
    number = number_of(response_id, RESPONSE_PREFIX)
    if number is None:
        raise CursorNotFound(response_id)
    return number
