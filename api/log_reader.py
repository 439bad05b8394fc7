"""What one reader of a response is streamed: how the job begins, what its log holds and will hold, how the job ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from api import response_view
from api.event_frames import DONE, PING, frames
from api.services import services
from api.told_items import MOST_CLOSED, ToldItems
from jobs.accepted import as_accepted
from jobs.errors import JobNotFound, StoreUnavailable
from jobs.event_log import FIRST_NUMBER, RESTARTED, Look
from jobs.record import Job
from jobs.waiting import Waiting
from schemas.response_events import item_events
from schemas.stream_event import encode

PING_SECONDS = 15.0
AGAIN_SECONDS = 2.0
"""After Redis could not be asked."""

Event = dict[str, Any]
GOOD_ENDS = ("completed", "incomplete")


class LogReader:
    """Follows job `number`; `after` is the number of the last event that the reader has, -1 for none.

    Numbers only grow. They are the same for every reader, and at every reading. Items of a repeated attempt have other
    places (`output_index`) for one who has just been told items that are void.
    """

    def __init__(self, number: str, *, after: int) -> None:
        self._number = number
        self._after = after
        self._seen = FIRST_NUMBER - 1
        self._over = False
        self._told = ToldItems()

    @property
    def over(self) -> bool:
        return self._over

    def read(self) -> Iterator[bytes]:
        """The events as the bytes of a stream, each as soon as it is known, to the last; comments where none comes.

        It ends without the last, and is not `over`, where the process is to stop.
        """
        followers = services().followers
        with followers.followed(self._number) as wait:
            while not self._over:
                if followers.closed:
                    return
                try:
                    yield from self._news()
                except StoreUnavailable:
                    yield from self._rest(wait, AGAIN_SECONDS)
                except JobNotFound:
                    yield from self._gone()
                else:
                    yield from self._rest(wait, PING_SECONDS)
        yield DONE

    def _rest(self, wait: Callable[[float], bool], seconds: float) -> Iterator[bytes]:
        if not self._over and not wait(seconds):
            yield PING

    def _news(self) -> Iterator[bytes]:
        """What is to be told now. Raises JobNotFound, StoreUnavailable."""
        look = self._look()
        if self._after < FIRST_NUMBER - 1:
            yield from self._beginning(look)
        while True:
            if not look.superseded:
                yield from self._entries(look)
            if look.ended_at is not None and (look.exhausted or look.superseded):
                yield from self._end(look)
                if self._over:
                    return
            elif look.exhausted:
                return
            look = self._look()

    def _look(self) -> Look:
        found = services().event_log.look(self._number, after=max(self._after, self._seen))
        if found is None:
            raise JobNotFound(self._number)
        return found

    def _beginning(self, look: Look) -> Iterator[bytes]:
        job = services().store.get(self._number, project=None)
        queued = None
        for number, name in ((0, "created"), (1, "queued")):
            if number > self._after:
                queued = queued or _under_way(job, "queued")
                yield from self._tell({"type": f"response.{name}", "response": queued}, number)
        if look.begun:
            begun = {"type": "response.in_progress", "response": _under_way(job, "in_progress")}
            yield from self._tell(begun, FIRST_NUMBER - 1)

    def _entries(self, look: Look) -> Iterator[bytes]:
        """What the log holds next. To a reader who has nothing of what is void it is not even told that it is."""
        void = look.void if self._after < FIRST_NUMBER else look.void - 1
        for entry in look.entries:
            if entry.number > max(void, self._after):
                yield from self._handed(entry.type, entry.event, entry.number)
            self._seen = entry.number

    def _end(self, look: Look) -> Iterator[bytes]:
        """What comes after the log, all of it made from the record."""
        job = services().store.get(self._number, project=None)
        if job.finished_at != look.ended_at:
            return  # it was tried again by hand meanwhile
        response = response_view.dump(job)
        # A Redis that crashed may have lost what this reader has read.
        number = max(look.last, self._seen) + 1
        for event in _untold_events(job, look, response):
            if event["type"] != RESTARTED or self._after >= FIRST_NUMBER:
                yield from self._tell(event, number)
            number += 1
        if job.status in GOOD_ENDS and (look.void or look.loose):
            for place, event in enumerate(self._told.closing(response["output"])):
                yield from frames(event["type"], encode(event), number=number + place)
            number += MOST_CLOSED
        yield from self._tell({"type": f"response.{job.status}", "response": response}, number)
        self._over = True

    def _tell(self, event: Event, number: int) -> Iterator[bytes]:
        """The event, unless the reader has it."""
        if number > self._after:
            yield from self._handed(event["type"], encode(event), number)

    def _handed(self, kind: str, event: bytes, number: int) -> Iterator[bytes]:
        if kind == RESTARTED:
            self._told.restart()
        yield from frames(kind, self._told.placed(kind, event), number=number)
        self._after = number

    def _gone(self) -> Iterator[bytes]:
        message = "The response was deleted."
        event = {"type": "error", "code": "response_deleted", "message": message, "param": None}
        yield from self._tell(event, self._after + 1)
        self._over = True


def _under_way(job: Job, status: str) -> Event:
    """The Response as it was when its job first had that status: the same for all readers, whenever they came.

    What it waits for is left out: that is never the same twice.
    """
    return response_view.dump_waiting(replace(as_accepted(job), status=status), Waiting())


def _untold_events(job: Job, look: Look, response: Event) -> Iterator[Event]:
    """The events between the log and the last one. Where the log lacks some of the answer, the items are told from the
    Response, and what the log holds is void.
    """
    if not look.whole and job.status in GOOD_ENDS:
        if look.loose:
            yield {"type": RESTARTED, "attempt": look.ended_by}
        yield from item_events(response)
    if job.status == "failed":
        error = job.error or response["error"] or {}
        yield {"type": "error", "code": error.get("code"), "message": error.get("message"), "param": None}
