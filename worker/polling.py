"""Asking after a response by its id until it ends."""

from __future__ import annotations

import time
from collections.abc import Callable

from worker.calls import Call
from worker.errors import CallError, HungUp, TooLarge, UpstreamLost
from worker.judgement import ended_response
from worker.poll_pace import FIRST_SECONDS, Pace
from worker.responses_client import Answer, ResponsesClient
from worker.retry_after import seconds_until_poll

ACCOUNT_STATUSES = (401, 402, 403, 407)
PASSING_STATUSES = (408, 409, 425, 429)
MOST_LOST_ANSWERS = 2
"""An upstream of many machines may hear of its own response a moment late, so a 404 counts when it is said twice."""


def poll(client: ResponsesClient, response_id: str, *, call: Call, begun: bool, random: Callable[[], float]) -> Answer:
    """The answer that ends the asking: the ended response, or a refusal that the account has earned.

    `begun` tells that the response was begun just now. Whatever else goes wrong is asked again: that costs nothing.
    Raises HungUp, UpstreamLost and TooLarge.
    """
    pace, lost_answers = Pace(first_seconds=FIRST_SECONDS if begun else 0.0, random=random), 0
    while not call.wait(pace.seconds):
        answer = _asked(client, response_id, call)
        if answer is not None and _ends(answer):
            return answer
        lost_answers = lost_answers + 1 if answer is not None and _lost(answer) else 0
        if lost_answers == MOST_LOST_ANSWERS:
            raise UpstreamLost("the endpoint no longer knows the response that it had begun", sent=True)
        _take(pace, answer)
    raise HungUp(str(call.hung_up), sent=True)


def _asked(client: ResponsesClient, response_id: str, call: Call) -> Answer | None:
    """None where no whole answer came."""
    try:
        return client.retrieve(response_id, call=call)
    except TooLarge:
        raise  # it will be as large the next time
    except HungUp as ended:
        raise HungUp(ended.why, sent=True) from ended
    except CallError:
        return None


def _ends(answer: Answer) -> bool:
    return answer.http_status in ACCOUNT_STATUSES or ended_response(answer) is not None


def _lost(answer: Answer) -> bool:
    return 400 <= answer.http_status < 500 and answer.http_status not in PASSING_STATUSES


def _take(pace: Pace, answer: Answer | None) -> None:
    asked = None if answer is None else seconds_until_poll(answer.headers, now=time.time())
    if answer is not None and 200 <= answer.http_status < 300:
        pace.goes_on(asked_seconds=asked)
    else:
        pace.fails(asked_seconds=asked)
