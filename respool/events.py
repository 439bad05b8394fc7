"""The events of a response as they come (text/event-stream), taken up again where they broke off."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import requests
import urllib3

from respool.client import PATIENCE_SECONDS, path_of
from respool.errors import Refused, Unreachable
from respool.session import Session

CHUNK_BYTES = 64 * 1024
SILENCE_SECONDS = 45.0
"""The service sends a comment every 15 s."""

AGAIN_SECONDS = 1.0
FINAL = frozenset({"completed", "failed", "incomplete", "cancelled"})

Event = dict[str, Any]


def follow_events(session: Session, response_id: str) -> Iterator[Event]:
    """Each event once, to the final one. A stream that is cut is asked for from behind the last event that came.

    Raises Refused; Unreachable once nothing has come for PATIENCE_SECONDS.
    """
    after: int | None = None
    heard_at = time.monotonic()
    while True:
        cause: Exception | None = None
        try:
            for event in _events(session, response_id, after):
                heard_at = time.monotonic()
                if event is None:
                    continue
                number = event.get("sequence_number")
                after = number if isinstance(number, int) else after
                yield event
                if is_final(event):
                    return
        except (Unreachable, requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            cause = error
        if time.monotonic() - heard_at > PATIENCE_SECONDS:
            raise Unreachable(f"nothing comes from {session.target.url} any more") from cause
        time.sleep(AGAIN_SECONDS)


def is_final(event: Event) -> bool:
    kind = str(event.get("type"))
    return kind.removeprefix("response.") in FINAL or event.get("code") == "response_deleted"


def _events(session: Session, response_id: str, after: int | None) -> Iterator[Event | None]:
    """None for each sign of life that is no event."""
    query: dict[str, Any] = {"stream": "true"} | ({} if after is None else {"starting_after": after})
    with session.streamed(path_of("responses", response_id), params=query, seconds=SILENCE_SECONDS) as answer:
        if not answer.headers.get("Content-Type", "").startswith("text/event-stream"):
            raise Refused("the service gives no stream")
        for line in _lines(answer):
            if line.startswith(b":"):
                yield None
            elif (event := _event(line)) is not None:
                yield event


def _lines(answer: requests.Response) -> Iterator[bytes]:
    """Whole lines, each as soon as its end has come."""
    begun: list[bytes] = []
    while chunk := answer.raw.read1(CHUNK_BYTES, decode_content=True):
        first, *others = chunk.split(b"\n")
        begun.append(first)
        for piece in others:
            yield b"".join(begun)
            begun = [piece]


def _event(line: bytes) -> Event | None:
    if not line.startswith(b"data:"):
        return None
    try:
        event = json.loads(line[5:])
    except ValueError:
        return None
    return event if isinstance(event, dict) else None
