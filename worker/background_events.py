"""The events of a background response as they come: how it is known, and where its stream can be taken up again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from worker.background_request import told_id
from worker.calls import Call
from worker.errors import CallError, HungUp
from worker.judgement import ended_response
from worker.responses_client import Answer, ResponsesClient

AGAIN_SECONDS = 1.0

Event = dict[str, Any]


class BackgroundEvents:
    """`keep` is given the id of the response as soon as an event tells it, before anything else is made of the event.

    `pass_on`, if anybody wants them, gets every event once, also of a stream that was taken up again.
    """

    def __init__(self, *, keep: Callable[[str], None], pass_on: Callable[[Event], None] | None) -> None:
        self._keep = keep
        self._pass_on = pass_on
        self._last: int | None = None
        self.response_id: str | None = None

    def take(self, event: Event) -> None:
        if self.response_id is None and (found := told_id(event)) is not None:
            self.response_id = found
            self._keep(found)
        number = _number_of(event)
        if number is not None and self._last is not None and number <= self._last:
            return
        self._last = self._last if number is None else number
        if self._pass_on is not None:
            self._pass_on(event)

    def follow(self, client: ResponsesClient, response_id: str, call: Call, *, begun: bool) -> Answer | None:
        """The answer that ends the response, its events taken until then; None once it can only be polled.

        A stream that breaks is taken up where it was, as long as that brings anything; `begun` tells that it has just
        been broken. Raises HungUp.
        """
        self.response_id = response_id
        call.tell = self.take
        while not (begun and self._last is None):
            before = self._last
            if begun and call.wait(AGAIN_SECONDS):
                raise HungUp(str(call.hung_up), sent=True)
            answer = _asked(client, response_id, before, call)
            if answer is not None and ended_response(answer) is not None:
                return answer
            if self._last == before:
                return None
            begun = True
        return None


def _asked(client: ResponsesClient, response_id: str, after: int | None, call: Call) -> Answer | None:
    """None where no whole answer came."""
    try:
        return client.resume(response_id, after=after, call=call)
    except HungUp as ended:
        raise HungUp(ended.why, sent=True) from ended
    except CallError:
        return None


def _number_of(event: Mapping[str, Any]) -> int | None:
    number = event.get("sequence_number")
    return number if type(number) is int else None
