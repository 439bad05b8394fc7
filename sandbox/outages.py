"""Outages on demand: for a while every call goes wrong, or every call with one key."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.errors import Refused
from sandbox.faults import parse_fault

_FIELDS = ("status", "fault", "seconds", "api_key")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """`fault`: the fault list that calls get; `ends_at`: monotonic seconds, None for no end of its own."""

    fault: str
    ends_at: float | None


class Outages:
    """The outages that hold: at most one for all calls, and one for each key."""

    def __init__(self) -> None:
        self._by_key: dict[str | None, Outage] = {}
        self._lock = threading.Lock()

    def begin(self, values: Mapping[str, Any]) -> None:
        """Begin one: `status` or `fault`; `seconds` it lasts; the `api_key` it is for. Raises Refused (400)."""
        key, outage = _read(values)
        with self._lock:
            self._by_key[key] = outage

    def end(self) -> None:
        """End all of them."""
        with self._lock:
            self._by_key.clear()

    def fault_for(self, api_key: str) -> str:
        """The fault list for a call with that key, that of the key before that of all; "" for none."""
        with self._lock:
            self._end_those_due()
            outage = self._by_key.get(api_key) or self._by_key.get(None)
        return outage.fault if outage else ""

    def seen(self) -> dict[str, Any]:
        """Those that hold now, with the seconds that are left."""
        with self._lock:
            self._end_those_due()
            now = time.monotonic()
            data = [
                {"api_key": key, "fault": outage.fault, "seconds": outage.ends_at and round(outage.ends_at - now, 3)}
                for key, outage in self._by_key.items()
            ]
        return {"object": "list", "data": data}

    def _end_those_due(self) -> None:
        now = time.monotonic()
        self._by_key = {
            key: outage for key, outage in self._by_key.items() if outage.ends_at is None or now < outage.ends_at
        }


def _read(values: Mapping[str, Any]) -> tuple[str | None, Outage]:
    for name in values:
        if name not in _FIELDS:
            raise Refused(f"An outage has no {name!r}. Known are: {', '.join(_FIELDS)}.", param=name)
    seconds, api_key = values.get("seconds"), values.get("api_key")
    if seconds is not None and not (_is_number(seconds) and 0 < seconds <= 86_400):
        raise Refused("The seconds of an outage must be above 0 and at most 86400.", param="seconds")
    if api_key is not None and not (isinstance(api_key, str) and api_key):
        raise Refused("The api_key of an outage must be a key.", param="api_key")
    ends_at = None if seconds is None else time.monotonic() + seconds
    return api_key, Outage(fault=_fault(values), ends_at=ends_at)


def _fault(values: Mapping[str, Any]) -> str:
    """The fault list: given, or that of a status."""
    status, fault = values.get("status"), values.get("fault")
    if (status is None) == (fault is None):
        raise Refused("An outage takes either a status or a fault.", param="status")
    name, text = ("status", f"status={status}") if fault is None else ("fault", fault)
    if not isinstance(text, str) or not text.strip() or isinstance(status, bool):
        raise Refused(f"The {name} of an outage is not valid.", param=name)
    try:
        parse_fault(text)
    except Refused as refusal:
        raise Refused(refusal.message, param=name) from refusal
    return text


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
