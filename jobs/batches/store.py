"""The batches as the API sees them: created, looked up, listed, cancelled."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis

from jobs import keys, scripts
from jobs.batches.record import BATCH_PREFIX, FIELDS, Batch, NewBatch, read_batch
from jobs.durability import confirmed
from jobs.errors import BatchNotFound, CursorNotFound, DurabilityUnconfirmed, FileNotFound, TooManyBatches
from jobs.record import number_of
from jobs.settings import Durability
from schemas.file_parts import FILE_PREFIX

MOST_BATCHES_AN_HOUR = 2000
"""Of one project."""

SAME_MICROSECOND = 16
"""As many may stand in one place of the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    batches: list[Batch]
    has_more: bool


class Batches:
    def __init__(self, client: redis.Redis, *, durability: Durability = "everysec") -> None:
        self._client = client
        self._durability = durability

    def create(self, new: NewBatch) -> Batch:
        """The batch, `validating` from now on; its file can neither be deleted nor expire until it has ended.

        Raises FileNotFound for a file that is not there or of another purpose, TooManyBatches, DurabilityUnconfirmed,
        StoreUnavailable.
        """
        number, file_number = new.number, number_of(new.input_file_id, FILE_PREFIX)
        if file_number is None:
            raise FileNotFound(new.input_file_id)
        fields = [word for pair in _fields(new).items() for word in pair]
        args: list[scripts.Argument] = [
            number, new.project, file_number, MOST_BATCHES_AN_HOUR, round(new.window_seconds * 1000), *fields
        ]  # fmt: skip
        names = [keys.batch(number), keys.file(file_number)]
        answer = scripts.run(self._client, scripts.Call(name="create_batch", keys=names, args=args))
        if answer == b"no_file":
            raise FileNotFound(new.input_file_id)
        if answer == b"too_many":
            raise TooManyBatches(str(MOST_BATCHES_AN_HOUR))
        if not confirmed(self._client, self._durability):
            raise DurabilityUnconfirmed(f"no {self._durability} was confirmed in time")
        return self._get(number)

    def get(self, batch_id: str, *, project: str | None) -> Batch:
        """The batch, of `project` or (None) of any. Raises BatchNotFound, StoreUnavailable."""
        number = number_of(batch_id, BATCH_PREFIX)
        batch = self._get_all([number])[0] if number is not None else None
        if batch is None or project not in (None, batch.project):
            raise BatchNotFound(batch_id)
        return batch

    def page(self, *, project: str | None, limit: int, after: str | None) -> BatchPage:
        """At most `limit` batches of `project` (None: of all), newest first, from before the one with the id `after`.

        Raises CursorNotFound, StoreUnavailable.
        """
        start = self._place(after, project) if after is not None else None
        with scripts.translated():
            places = self._places(project, start, limit + 1)
        found = self._get_all([number for _, number in places[:limit]])
        return BatchPage(batches=[batch for batch in found if batch is not None], has_more=len(places) > limit)

    def cancel(self, batch_id: str, *, project: str | None) -> Batch:
        """The batch after it was cancelled; one that is past its lines, or has ended, stays as it is.

        Raises BatchNotFound, StoreUnavailable.
        """
        number = self.get(batch_id, project=project).number
        call = scripts.Call(name="cancel_batch", keys=[keys.batch(number)], args=[number])
        if scripts.run(self._client, call) == b"missing":
            raise BatchNotFound(batch_id)
        return self.get(batch_id, project=project)

    def _get(self, number: str) -> Batch:
        return self.get(BATCH_PREFIX + number, project=None)

    def _get_all(self, numbers: Sequence[str]) -> list[Batch | None]:
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.hmget(keys.batch(number), FIELDS)
            rows = pipeline.execute()
        return [read_batch(number, row) for number, row in zip(numbers, rows, strict=True)]

    def _place(self, batch_id: str, project: str | None) -> tuple[int, str]:
        try:
            batch = self.get(batch_id, project=project)
        except BatchNotFound as error:
            raise CursorNotFound(batch_id) from error
        return batch.created, batch.number

    def _places(self, project: str | None, start: tuple[int, str] | None, count: int) -> list[tuple[int, str]]:
        """The next `count` places; batches of the same microsecond go by number."""
        projects: Any = [project.encode()] if project is not None else self._client.smembers(keys.PROJECTS)
        highest = "+inf" if start is None else start[0]
        with self._client.pipeline(transaction=False) as pipeline:
            for name in projects:
                pipeline.zrange(
                    keys.batches(name.decode()), highest, "-inf",
                    desc=True, byscore=True, offset=0, num=count + SAME_MICROSECOND, withscores=True,
                )  # fmt: skip
            rows = [row for answer in pipeline.execute() for row in answer]
        places = sorted(((int(score), member.decode()) for member, score in rows), reverse=True)
        return [place for place in places if start is None or place < start][:count]


def _fields(new: NewBatch) -> dict[str, str | int]:
    return {
        "api_key": new.api_key,
        "endpoint": new.endpoint,
        "input_file": new.input_file_id,
        "completion_window": new.completion_window,
        "output_expires": new.output_expires_after_seconds * 1000,
        "metadata": json.dumps(dict(new.metadata)),
        "options": json.dumps(dict(new.options)),
        **({"webhook": new.webhook.as_json()} if new.webhook else {}),
        **({"retry_of": new.retry_of} if new.retry_of else {}),
        **new.trail.fields(),
    }
