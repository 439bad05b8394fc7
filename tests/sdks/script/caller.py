"""What a check works with: the SDK's client of one key, the model to name, and what all checks do with them."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from openai import OpenAI

from tests.fakes.waiting import wait_until

ENDS = ("completed", "failed", "incomplete", "cancelled")
MOST_SECONDS = 10.0
"""The longest silence on a connection: more than any check waits for, and little enough to be told of."""
Event = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """`model` decides which upstream answers; `limited_key` is of a project whose limit is used up."""

    base_url: str
    key: str
    model: str
    limited_key: str

    def client(self, *, key: str = "", **options: Any) -> OpenAI:
        return OpenAI(base_url=self.base_url, api_key=key or self.key, **{"timeout": MOST_SECONDS, **options})

    def create(self, **fields: Any) -> Any:
        """A Response, or a stream, as the SDK hands it out."""
        return self.client().responses.create(**{"model": self.model, "input": "hello", **fields})

    def begin(self, **fields: Any) -> Any:
        """A background Response as it stands at first."""
        return self.create(background=True, **fields)

    def retrieve(self, response_id: str, **fields: Any) -> Any:
        return self.client().responses.retrieve(response_id, **fields)

    def ended(self, response_id: str) -> Any:
        """The Response at its end."""
        return self.reached(response_id, *ENDS)

    def reached(self, response_id: str, *statuses: str) -> Any:
        """The Response in one of the statuses."""
        found: list[Any] = []

        def has_come() -> bool:
            found.append(self.retrieve(response_id))
            return found[-1].status in statuses

        wait_until(has_come)
        return found[-1]

    def read(self, response_id: str, **query: Any) -> list[Any]:
        """The events of a GET stream, in the SDK's types."""
        with self.retrieve(response_id, stream=True, **query) as stream:
            return list(stream)

    @contextmanager
    def raw_lines(self, **fields: Any) -> Iterator[Iterator[str]]:
        """The lines of a created stream as they came over the wire."""
        body = {"model": self.model, "input": "hello", "stream": True, **fields}
        with self.client().responses.with_streaming_response.create(**body) as answer:
            yield answer.iter_lines()

    def raw_events(self, **fields: Any) -> list[Event]:
        """The JSON of each event of a created stream."""
        with self.raw_lines(**fields) as lines:
            data = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
        assert data[-1] == "[DONE]", data[-1]
        return [json.loads(text) for text in data[:-1]]

    def raw(self, response_id: str) -> dict[str, Any]:
        """The JSON of a Response."""
        answer = self.client().responses.with_raw_response.retrieve(response_id)
        found: dict[str, Any] = json.loads(answer.http_response.text)
        return found


def faulty(fault: str) -> dict[str, Any]:
    """The field that has the sandbox misbehave."""
    return {"metadata": {"sandbox": fault}}


def options(**chosen: Any) -> dict[str, Any]:
    """The field that carries what steers the service."""
    return {"extra_body": {"respool": chosen}}


def once(**chosen: Any) -> dict[str, Any]:
    """One attempt and no more."""
    return options(max_attempts=1, **chosen)


def text_of(events: Sequence[Any]) -> str:
    """What the deltas say together."""
    return "".join(event.delta for event in events if event.type == "response.output_text.delta")


def numbers_of(events: Sequence[Any]) -> list[int]:
    return [event.sequence_number for event in events]


def raised(kind: type[Exception], action: Callable[[], Any]) -> Any:
    """The exception of that kind, and no other, that `action` ends with."""
    try:
        answer = action()
    except kind as error:
        return error
    raise AssertionError(f"nothing was raised, it answered {answer}")
