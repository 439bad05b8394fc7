"""How the service stands: read from the store when somebody asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jobs.lane_reader import LaneState
from jobs.metrics.counters import labels_of
from jobs.metrics.family import LANE, Family, Labels, Reading

LANE_STATES = ("open", "slowed", "probing", "paused")


def _gauge(name: str, help: str, *labels: str, unit: int = 1) -> Family:
    return Family(name=name, kind="gauge", help=help, labels=labels, unit=unit)


MEASURED: Mapping[str, Family] = {
    "jobs": _gauge("respool_jobs", "Jobs that have not ended.", "state"),
    "backlog_jobs": _gauge("respool_backlog_jobs", "Jobs that wait for an account and model.", *LANE),
    "workers": _gauge("respool_workers", "Worker processes that live."),
    "workers_slots": _gauge("respool_worker_slots", "Calls that the live workers can make at a time."),
    "workers_busy": _gauge("respool_worker_jobs", "Jobs that workers hold."),
    "senders": _gauge("respool_senders", "Sender processes that live."),
    "senders_slots": _gauge("respool_sender_slots", "Deliveries that the live senders can make at a time."),
    "senders_busy": _gauge("respool_sender_deliveries", "Deliveries that senders hold."),
    "leaders": _gauge("respool_leader", "Whether somebody leads.", "role"),
    "deliveries": _gauge("respool_deliveries", "Deliveries that have not ended.", "state"),
    "webhook_endpoints": _gauge("respool_webhook_endpoints", "Registered webhook endpoints.", "status"),
    "breakers_open": _gauge("respool_delivery_breakers_open", "Origins whose breaker holds deliveries back."),
    "batches": _gauge("respool_batches", "Batches that have not ended.", "status"),
    "files": _gauge("respool_files", "Files that are kept."),
    "file_bytes": _gauge("respool_file_bytes", "Bytes of the files that are kept."),
    "sweep_age_ms": _gauge("respool_sweep_age_seconds", "Since the last sweep.", "kind", unit=1000),
}
"""By the name of the row that measure.lua tells."""

COMPLETE = _gauge("respool_metrics_complete", "0 where a bound left something out of the gauges.")
REDIS_UP = _gauge("respool_redis_up", "Whether Redis could be read.")
QUEUED_BYTES = _gauge("respool_queued_bytes", "Bytes of the requests of jobs that have not ended.")
MAX_QUEUED_BYTES = _gauge("respool_max_queued_bytes", "RESPOOL_MAX_QUEUED_BYTES.")
REDIS_MEMORY = _gauge("respool_redis_memory_bytes", "Memory that Redis uses.")
REDIS_MAX_MEMORY = _gauge("respool_redis_max_memory_bytes", "Memory that Redis may use; 0: no bound.")

IN_FLIGHT = _gauge("respool_lane_in_flight", "Calls of a lane in flight.", *LANE)
WIDTH = _gauge("respool_lane_width", "Calls of a lane that may be in flight now.", *LANE)
REQUEST_RATE = _gauge("respool_lane_requests_per_minute", "What a lane allows now; none: no limit.", *LANE)
TOKEN_RATE = _gauge("respool_lane_tokens_per_minute", "What a lane allows now; none: no limit.", *LANE)
STATE = _gauge("respool_lane_state", "1 for the state that a lane is in.", "state", *LANE)
OF_LANES = (IN_FLIGHT, WIDTH, REQUEST_RATE, TOKEN_RATE, STATE)
FAMILIES = (*MEASURED.values(), *OF_LANES, COMPLETE, QUEUED_BYTES, MAX_QUEUED_BYTES, REDIS_MEMORY, REDIS_MAX_MEMORY)


def single(family: Family, value: float) -> Reading:
    return Reading(family=family, samples={(): value})


def read_measured(found: Sequence[Any], *, told: frozenset[str]) -> list[Reading]:
    """From the answer of measure.lua; of the backlogs, those that are not among `told` count together."""
    complete, *rows = found
    samples: dict[str, dict[Labels, float]] = {name: {} for name in MEASURED}
    samples["backlog_jobs"] = {labels_of(MEASURED["backlog_jobs"], name): 0.0 for name in told}
    for what, value, *rest in rows:
        name, text = what.decode(), b"\n".join(rest).decode(errors="replace")
        if name == "backlog_jobs" and text not in told:
            text = "other:other"
        labels = labels_of(MEASURED[name], text)
        samples[name][labels] = samples[name].get(labels, 0.0) + int(value) / MEASURED[name].unit
    readings = [Reading(family=MEASURED[name], samples=rows) for name, rows in samples.items()]
    return [*readings, single(COMPLETE, float(complete))]


def read_lanes(lanes: Sequence[LaneState]) -> list[Reading]:
    def by_lane(values: Sequence[float | None]) -> dict[Labels, float]:
        pairs = zip(lanes, values, strict=True)
        return {(lane.account, lane.model): float(value) for lane, value in pairs if value is not None}

    states: dict[Labels, float] = {
        (state, lane.account, lane.model): float(lane.state == state) for lane in lanes for state in LANE_STATES
    }
    return [
        Reading(family=IN_FLIGHT, samples=by_lane([lane.in_flight for lane in lanes])),
        Reading(family=WIDTH, samples=by_lane([lane.width for lane in lanes])),
        Reading(family=REQUEST_RATE, samples=by_lane([lane.requests_per_minute for lane in lanes])),
        Reading(family=TOKEN_RATE, samples=by_lane([lane.tokens_per_minute for lane in lanes])),
        Reading(family=STATE, samples=states),
    ]
