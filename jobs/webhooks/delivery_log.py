"""The deliveries as their owners see them: one, those of a job, and pages of all."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import redis

from jobs import keys, scripts
from jobs.errors import DeliveryNotFound, JobNotFound
from jobs.webhooks.delivery_lists import CHUNK, CLASSES, DeliveryLists, Place
from jobs.webhooks.delivery_record import FIELDS, ORIGIN_FIELDS, Delivery, delayed, read_delivery

MOST_LOOKED_AT = 5000
"""For one page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    """`last` is the number that the next page goes on after: of the last that was looked at, None if there was none."""

    deliveries: list[Delivery]
    last: str | None
    has_more: bool


class DeliveryLog:
    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._lists = DeliveryLists(client)

    def get(self, number: str, *, project: str | None) -> Delivery:
        """The delivery, of `project` or (None) of any. Raises DeliveryNotFound, StoreUnavailable."""
        found = self._read([number])
        if not found or (project is not None and found[0].project != project):
            raise DeliveryNotFound(number)
        return found[0]

    def of_job(self, number: str, *, project: str | None) -> list[Delivery]:
        """All deliveries of the job's events, the latest first. Raises JobNotFound, StoreUnavailable."""
        with scripts.translated():
            owner: Any = self._client.hget(keys.job(number), "project")
            if owner is None or (project is not None and owner.decode() != project):
                raise JobNotFound(number)
            held: Any = self._client.smembers(keys.job_deliveries(number))
        found = self._read([member.decode() for member in held])
        return sorted(found, key=lambda delivery: (delivery.since, delivery.number), reverse=True)

    def page(
        self, project: str | None, *, endpoint: str | None, status: str | None, limit: int, after: str | None
    ) -> DeliveryPage:
        """At most `limit` deliveries that come after the one numbered `after`, the latest first.

        `project` None: of all; `endpoint`: of this one alone; `status` may also be `dead`. Where few have the status,
        a page may be short and have more behind it. Raises CursorNotFound, StoreUnavailable.
        """
        start = self._lists.place(after, project=project) if after is not None else None
        classes = [name for name, known in CLASSES.items() if status in (None, name, *known)]
        sources = [source for name in classes for source in self._lists.of(name, project=project, endpoint=endpoint)]
        walked = [self._lists.down(source, start) for source in sources]
        places = heapq.merge(*walked, reverse=True)
        wanted = None if status in (None, *CLASSES) else status
        return self._collected(places, project, wanted, limit)

    def _read(self, numbers: Sequence[str]) -> list[Delivery]:
        """Those that are still kept."""
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for number in numbers:
                pipeline.hmget(keys.delivery(number), FIELDS)
                pipeline.lrange(keys.delivery_log(number), 0, -1)
            answers = pipeline.execute()
        rows = zip(numbers, answers[::2], answers[1::2], strict=True)
        found = [read_delivery(number, values, entries) for number, values, entries in rows if values[0] is not None]
        with scripts.translated(), self._client.pipeline(transaction=False) as pipeline:
            for delivery in found:
                pipeline.hmget(keys.origin(delivery.project, delivery.origin), ORIGIN_FIELDS)
            rests = pipeline.execute()
        return [delayed(delivery, rest) for delivery, rest in zip(found, rests, strict=True)]

    def _collected(self, places: Iterator[Place], project: str | None, status: str | None, limit: int) -> DeliveryPage:
        chosen: list[Delivery] = []
        last: str | None = None
        looked_at = 0
        while looked_at < MOST_LOOKED_AT:
            size = CHUNK if status is not None or looked_at else limit + 1
            batch = [number for _, number in islice(places, size)]
            if not batch:
                return DeliveryPage(deliveries=chosen, last=last, has_more=False)
            kept = {delivery.number: delivery for delivery in self._read(batch)}
            for number in batch:
                if number == last:  # it moved to another list meanwhile, where it has the same place
                    continue
                delivery = kept.get(number)
                if delivery is not None and status in (None, delivery.status) and project in (None, delivery.project):
                    if len(chosen) == limit:
                        return DeliveryPage(deliveries=chosen, last=last, has_more=True)
                    chosen.append(delivery)
                last = number
            looked_at += len(batch)
        return DeliveryPage(deliveries=chosen, last=last, has_more=True)
