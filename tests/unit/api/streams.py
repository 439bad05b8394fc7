"""What the tests of streams share: reading them, and attempts that stream what a test wants."""

import json
from dataclasses import dataclass
from typing import Any

from werkzeug.test import TestResponse

from jobs import scripts
from jobs.claims import Claim
from jobs.event_log import appending
from tests.fakes.bench import Bench
from tests.fakes.small_answer import STREAMED
from tests.unit.api.conftest import Caller

Event = dict[str, Any]
BEGINNING = ["response.created", "response.queued", "response.in_progress"]
ITEMS = [event["type"] for event in STREAMED]
RESTARTED = "respool:attempt.restarted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A stream that was read to its end."""

    events: list[Event]
    done: bool

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def numbers(self) -> list[int]:
        return [event["sequence_number"] for event in self.events]


def parse(body: bytes) -> Read:
    """The events of a stream, which must be framed as the protocol has it."""
    *blocks, rest = body.decode().split("\n\n")
    assert rest == ""
    events, done = [], False
    for block in blocks:
        if block == ": ping":
            continue
        assert not done
        if block == "data: [DONE]":
            done = True
            continue
        name, data = block.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        events.append(event)
    return Read(events=events, done=done)


def read(caller: Caller, response_id: str, *, after: int | None = None) -> Read:
    """The stream of a response from there to its end."""
    cursor = "" if after is None else f"&starting_after={after}"
    answer: TestResponse = caller.get(f"/v1/responses/{response_id}?stream=true{cursor}")
    assert answer.status_code == 200, answer.text
    assert answer.mimetype == "text/event-stream"
    return parse(answer.data)


def append(bench: Bench, claim: Claim, events: list[Event], *, before: int = 0, whole: bool = False) -> int:
    """What the worker is told when its attempt has streamed that."""
    encoded = [(event["type"], json.dumps(event).encode()) for event in events]
    call = appending(claim.number, worker="w1", attempt=claim.attempt, before=before, events=encoded, whole=whole)
    answer: int = scripts.run(bench.client, call)
    return answer
