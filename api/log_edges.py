"""What a stream tells before an event log and after it, made from the job's record: the same for all readers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from api import response_view
from api.services import services
from jobs.accepted import as_accepted
from jobs.event_log import RESTARTED, Look
from jobs.record import Job
from jobs.waiting import Waiting
from schemas.response_events import item_events
from schemas.stream_event import encode

GOOD_ENDS = ("completed", "incomplete")

Event = dict[str, Any]
Told = tuple[str, bytes]
"""The type of an event, and the whole as JSON, without its number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a job ended: what is told between the log and the last event, and that one. `output` holds the items of an
    answer that the log may not have told as they are.
    """

    untold: Sequence[Told]
    last: Told
    output: Sequence[Mapping[str, Any]] | None


def beginning(number: str) -> Sequence[Told]:
    """The events numbered 0, 1 and 2. Raises JobNotFound, StoreUnavailable."""
    job = services().store.get(number, project=None)
    queued, begun = _under_way(job, "queued"), _under_way(job, "in_progress")
    kinds = {"response.created": queued, "response.queued": queued, "response.in_progress": begun}
    return [_told({"type": kind, "response": response}) for kind, response in kinds.items()]


def ending(number: str, look: Look) -> Ending | None:
    """After a log that looked so; None where the job was tried again by hand meanwhile. Raises JobNotFound,
    StoreUnavailable.
    """
    job = services().store.get(number, project=None)
    if job.finished_at != look.ended_at:
        return None
    response = response_view.dump(job)
    return Ending(
        untold=[_told(event) for event in _untold_events(job, look, response)],
        last=_told({"type": f"response.{job.status}", "response": response}),
        output=response["output"] if job.status in GOOD_ENDS and (look.void or look.loose) else None,
    )


def _told(event: Event) -> Told:
    return event["type"], encode(event)


def _under_way(job: Job, status: str) -> Event:
    """The Response as it was when its job first had that status, whenever it is read.

    What it waits for is left out: that is never the same twice.
    """
    return response_view.dump_waiting(replace(as_accepted(job), status=status), Waiting())


def _untold_events(job: Job, look: Look, response: Event) -> Iterator[Event]:
    """Where the log lacks some of the answer, the items are told from the Response, and what the log holds is void."""
    if not look.whole and job.status in GOOD_ENDS:
        if look.loose:
            yield {"type": RESTARTED, "attempt": look.ended_by}
        yield from item_events(response)
    if job.status == "failed":
        error = job.error or response["error"] or {}
        yield {"type": "error", "code": error.get("code"), "message": error.get("message"), "param": None}
