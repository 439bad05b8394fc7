"""The event log of a job: what its attempts streamed, as followers read it and workers add to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts

FIRST_NUMBER = 3
"""Of the log's first event: 0, 1 and 2 are response.created, response.queued and response.in_progress."""
RESTARTED = "respool:attempt.restarted"
"""The type of the event that says that what came before is void: another attempt begins its answer anew."""
PAGE_EVENTS = 256
MOST_BYTES = 16 * 1024 * 1024
"""Of one job's events; what would come beyond is left to the job's final Response."""
MOST_ID = 2**63
"""More events than any log has, and still an id to Redis."""

STATE = ("status", "finished", "ended_by", "log_last", "log_void", "log_count", "log_whole")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event: its sequence number, its type, and the whole as JSON, without its number."""

    number: int
    type: str
    event: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The log at one moment. Once the job has ended, nothing is added.

    `ended_by` is the attempt that brought the end, if one did. `last` is the number of the log's last event,
    FIRST_NUMBER - 1 where it has none. Up to `void`, the number of the last event that says so, all events are void.
    `exhausted`: there are no more entries than these.
    `whole`: the answer that ended the job is there from its beginning to its end; `loose`: the events after `void` are
    no such answer.
    """

    status: str
    ended_at: float | None
    ended_by: int | None
    last: int
    void: int
    whole: bool
    loose: bool
    exhausted: bool
    entries: Sequence[Entry]

    @property
    def begun(self) -> bool:
        return self.status != "queued" or self.last >= FIRST_NUMBER

    @property
    def superseded(self) -> bool:
        """Whether the events after `void` are void, too, since the job ended well with another answer."""
        return self.loose and self.status in ("completed", "incomplete")


class EventLog:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def look(self, number: str, *, after: int) -> Look | None:
        """The job's state, and its first PAGE_EVENTS events that come after the one numbered `after`.

        None where there is no such job. Raises StoreUnavailable.
        """
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            pipeline.hmget(keys.job(number), STATE)  # before the events: what has ended grows no more
            pipeline.xrange(keys.log(number), min=f"{min(max(after, 0) + 2, MOST_ID)}-0", count=PAGE_EVENTS)
            state, rows = pipeline.execute()
        return _look(dict(zip(STATE, state, strict=True)), rows) if state[0] else None


def appending(
    number: str, *, worker: str, attempt: int, before: int, events: Sequence[tuple[str, bytes]], whole: bool
) -> scripts.Call:
    """The script call that adds events (type, JSON), before which come `before` others of the attempt.

    `whole`: with these the attempt's answer is there from its beginning to its end.
    """
    words = [word for event in events for word in event]
    args: list[scripts.Argument] = [number, worker, attempt, before, int(whole), MOST_BYTES, *words]
    return scripts.Call(name="append_events", keys=[keys.job(number), keys.log(number)], args=args)


def added(message: bytes) -> Sequence[Entry]:
    """The events with which the log has grown, as `append_events` tells it; none where it was told something else."""
    first, *words = message.split(b"\n")
    try:
        pairs = enumerate(zip(words[::2], words[1::2], strict=True))
        return [Entry(number=int(first) + place, type=kind.decode(), event=event) for place, (kind, event) in pairs]
    except ValueError:  # a release to come may tell more
        return []


def _look(state: dict[str, bytes | None], rows: Sequence[tuple[bytes, dict[bytes, bytes]]]) -> Look:
    ended = state["status"] not in (b"queued", b"in_progress")
    entries = [_entry(row_id, fields) for row_id, fields in rows]
    restarted = max((entry.number for entry in entries if entry.type == RESTARTED), default=0)
    whole = state["log_whole"] is not None and state["log_whole"] == state["ended_by"]
    return Look(
        status=(state["status"] or b"").decode(),
        ended_at=int(state["finished"] or 0) / 1000 if ended else None,
        ended_by=int(state["ended_by"]) if state["ended_by"] else None,
        last=int(state["log_last"] or FIRST_NUMBER - 1),
        void=max(int(state["log_void"] or 0), restarted),  # an attempt may have begun after the state was read
        whole=whole,
        loose=not whole and int(state["log_count"] or 0) > 0,
        exhausted=len(rows) < PAGE_EVENTS,
        entries=entries,
    )


def _entry(row_id: bytes, fields: dict[bytes, Any]) -> Entry:
    return Entry(
        number=int(row_id.partition(b"-")[0]) - 1, type=fields[b"type"].decode(), event=bytes(fields[b"event"])
    )
