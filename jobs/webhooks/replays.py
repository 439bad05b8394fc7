"""Deliveries that have ended, made once more."""

from __future__ import annotations

from collections.abc import Sequence

import redis

from jobs import scripts
from jobs.errors import DeliveryOpen, EndpointDeleted, EndpointDisabled
from jobs.webhooks.delivery_lists import DeliveryLists
from jobs.webhooks.delivery_log import DeliveryLog
from jobs.webhooks.delivery_record import Delivery

MOST_REPLAYED = 10_000


class Replays:
    def __init__(self, client: redis.Redis, log: DeliveryLog) -> None:
        self._client = client
        self._log = log
        self._lists = DeliveryLists(client)

    def replay(self, number: str, *, project: str | None) -> Delivery:
        """The delivery, owed once more from now on; its event and the log of its attempts stay.

        Raises DeliveryNotFound, DeliveryOpen, EndpointDeleted, EndpointDisabled, StoreUnavailable.
        """
        (answer,) = self._replay([number], project)
        delivery = self._log.get(number, project=project)
        match answer:
            case "open":
                raise DeliveryOpen(delivery.status)
            case "endpoint_deleted":
                raise EndpointDeleted(delivery.endpoint_id)
            case "endpoint_disabled":
                raise EndpointDisabled(delivery.endpoint_id)
        return delivery

    def replay_failed(self, project: str | None, *, since: float, endpoint: str | None) -> tuple[int, bool]:
        """How many of the dead deliveries that began at `since` (seconds) or later are owed once more, MOST_REPLAYED at
        most, and whether there are others. Those of endpoints that take nothing stay as they are.

        Raises StoreUnavailable.
        """
        with scripts.translated():
            seconds, micros = self._client.time()
        until, replayed = int(seconds) * 1_000_000 + int(micros), 0
        for source in self._lists.of("dead", project=project, endpoint=endpoint):
            low = round(since * 1_000_000)
            while found := self._lists.between(source, low, until):
                piece = [number for _, number in found][: MOST_REPLAYED - replayed]
                replayed += self._replay(piece, project).count("replayed")
                if len(piece) < len(found):
                    return replayed, True
                low = found[-1][0] + 1
        return replayed, False

    def _replay(self, numbers: Sequence[str], project: str | None) -> list[str]:
        call = scripts.Call(name="replay_deliveries", args=[project or "", *numbers])
        return [answer.decode() for answer in scripts.run(self._client, call)]
