"""Responses that are known by their id: those that run in the background, and the latest that have ended."""

import threading
from collections import OrderedDict
from typing import Any

from sandbox.calls import Call
from sandbox.errors import Refused
from sandbox.events import Event
from sandbox.faults import Fault
from sandbox.shapes import cancelled

_ENDS = ("completed", "incomplete", "failed", "cancelled")


class Kept:
    """One response, from its being queued to its end. It ends once: what comes later is not heeded."""

    def __init__(self, response: dict[str, Any], *, call: Call, fault: Fault) -> None:
        self.call = call
        self.fault = fault
        self._response = response
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._events: list[Event] = []
        self._moved = threading.Condition()
        self._half: int | None = None
        self.is_told = False

    @property
    def id(self) -> str:
        return str(self._response["id"])

    @property
    def response(self) -> dict[str, Any]:
        """The Response as it stands; it is replaced, never changed in place."""
        return self._response

    @property
    def has_ended(self) -> bool:
        return self._response["status"] in _ENDS

    def begin(self) -> None:
        """Its turn has come: queued becomes in_progress."""
        with self._lock:
            if not self.has_ended:
                self._response = {**self._response, "status": "in_progress"}

    def end(self, response: dict[str, Any]) -> bool:
        """End it like this; False where it has ended already."""
        with self._lock:
            if self.has_ended:
                return False
            self._response = response
            return True

    def cancel(self) -> None:
        """End it cancelled unless it has ended, and wake its work."""
        self.end(cancelled(self._response))
        self._stopped.set()

    def tell(self, event: Event) -> None:
        """Its stream goes on with this."""
        with self._moved:
            self._events.append({**event, "sequence_number": len(self._events)})
            self._moved.notify_all()

    def tell_half(self, events: int) -> None:
        """With so many events half of its stream is out."""
        self._half = events

    def is_half_told(self, events: int) -> bool:
        """Whether so many events are half of its stream."""
        return self._half is not None and events >= self._half

    def end_telling(self) -> None:
        """Nothing more comes in its stream."""
        with self._moved:
            self.is_told = True
            self._moved.notify_all()

    def event(self, place: int, *, seconds: float) -> Event | None:
        """The event at that place of its stream; None where it does not come within the seconds, or never."""
        with self._moved:
            self._moved.wait_for(lambda: place < len(self._events) or self.is_told, timeout=seconds)
            return self._events[place] if place < len(self._events) else None

    def wait(self, seconds: float) -> bool:
        """Wait that long; True at once when it is cancelled meanwhile."""
        return self._stopped.wait(seconds) if seconds > 0 else self._stopped.is_set()


class KeptResponses:
    """All that run, and the `kept` latest that have ended. Safe under threads and greenlets."""

    def __init__(self, *, kept: int) -> None:
        self._kept = kept
        self._running: dict[str, Kept] = {}
        self._ended: OrderedDict[str, Kept] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, response: Kept) -> None:
        """Keep one that has just been made."""
        with self._lock:
            self._running[response.id] = response

    def settle(self, response: Kept) -> None:
        """One that was added has ended. One that was forgotten meanwhile stays so."""
        with self._lock:
            if self._running.pop(response.id, None) is None:
                return
            self._ended[response.id] = response
            if len(self._ended) > self._kept:
                self._ended.popitem(last=False)

    def find(self, response_id: str) -> Kept | None:
        with self._lock:
            return self._running.get(response_id) or self._ended.get(response_id)

    def forget(self, response_id: str) -> None:
        """Do not know it any more."""
        with self._lock:
            self._running.pop(response_id, None)
            self._ended.pop(response_id, None)


def not_found(response_id: str) -> Refused:
    """What a call by an id that is not known is answered."""
    return Refused(
        f"Response with id '{response_id}' not found.",
        status=404,
        code="ResponseNotFound",
        kind="invalid_request_error",
    )
