"""Lanes as they are looked at and changed: on Redis itself, or through the API of a service elsewhere.

Both speak of lanes as the API does (`api.lane_view`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from api import lane_view
from jobs.errors import LaneNotFound
from jobs.lane_states import LaneStates
from jobs.limits import check_change
from respool.client import Api, path_of
from respool.errors import Refused
from respool.store_client import limits_of, opened_store
from respool.target import find_api, over_http
from respool.visible import shown

BY = "command line"
Lane = dict[str, Any]


class LaneDesk(Protocol):
    """Raises Refused, Unreachable; `change` also ValueError."""

    def all(self) -> list[Lane]: ...

    def change(self, lane: str, values: Mapping[str, int | float | None], *, reason: str) -> Lane: ...

    def pause(self, lane: str, *, seconds: float | None, reason: str) -> Lane: ...

    def resume(self, lane: str, *, reason: str) -> Lane: ...


@contextmanager
def lane_desk(*, url: str | None, folder: Path | None) -> Iterator[LaneDesk]:
    if over_http(url=url, folder=folder):
        yield ApiLanes(Api(find_api(url=url, folder=folder)))
        return
    with opened_store(folder) as (client, store):
        try:
            yield StoredLanes(LaneStates(client, limits_of(store)))
        except LaneNotFound as error:
            raise Refused(f"there is no lane {shown(str(error))}; `respool lanes list` shows them") from error


class StoredLanes:
    """Needs no admin key."""

    def __init__(self, states: LaneStates) -> None:
        self._states = states

    def all(self) -> list[Lane]:
        return [lane_view.dump(lane) for lane in self._states.all()]

    def change(self, lane: str, values: Mapping[str, int | float | None], *, reason: str) -> Lane:
        return lane_view.dump(self._states.change(lane, check_change(values), reason=reason, by=BY))

    def pause(self, lane: str, *, seconds: float | None, reason: str) -> Lane:
        return lane_view.dump(self._states.pause(lane, seconds=seconds, reason=reason, by=BY))

    def resume(self, lane: str, *, reason: str) -> Lane:
        return lane_view.dump(self._states.resume(lane, reason=reason, by=BY))


class ApiLanes:
    """Changes need an admin key."""

    def __init__(self, api: Api) -> None:
        self._api = api

    def all(self) -> list[Lane]:
        return self._api.entries("/v1/lanes")

    def change(self, lane: str, values: Mapping[str, int | float | None], *, reason: str) -> Lane:
        return self._api.patch(path_of("lanes", lane), {**values, "reason": reason})

    def pause(self, lane: str, *, seconds: float | None, reason: str) -> Lane:
        given = {"seconds": seconds, "reason": reason or None}
        return self._api.post(path_of("lanes", lane, "pause"), _given(given))

    def resume(self, lane: str, *, reason: str) -> Lane:
        return self._api.post(path_of("lanes", lane, "resume"), _given({"reason": reason or None}))


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
