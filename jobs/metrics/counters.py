"""What has happened since the store was new: counted by the scripts that make it happen, in one hash."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from jobs.lanes import account_of, model_of
from jobs.metrics.family import LANE, Distribution, Family, Labels, Reading
from jobs.prices import NANO
from schemas.event import ENDPOINT_EVENTS

SECONDS = (
    *("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "120", "300", "600", "1800", "3600", "21600"),
    *("86400", "+Inf"),
)
"""The upper bounds of the buckets."""
REQUEST_SECONDS = ("0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "30", "60", "+Inf")
"""The same for requests to the API."""


def _counter(name: str, help: str, *labels: str, known: tuple[str, ...] = (), unit: int = 1) -> Family:
    return Family(name=name, kind="counter", help=help, labels=labels, known=known, unit=unit)


def _histogram(name: str, help: str, *labels: str, bounds: tuple[str, ...] = SECONDS) -> Family:
    return Family(name=name, kind="histogram", help=help, labels=labels, bounds=bounds)


COUNTERS: Mapping[str, Family] = {
    "submitted": _counter("respool_jobs_submitted_total", "Jobs that were accepted.", "source", *LANE),
    "refused": _counter("respool_submits_refused_total", "Submits that a limit refused.", "limit", "source"),
    "ended": _counter("respool_jobs_ended_total", "Jobs that ended.", "status", *LANE),
    "expired": _counter("respool_jobs_expired_total", "Jobs that were still queued at their deadline, and failed."),
    "attempts": _counter("respool_upstream_attempts_total", "Attempts, by how the endpoint answered.", "status", *LANE),
    "put_backs": _counter(
        "respool_retries_total", "Attempts after which the job was queued again.", "way", "class", *LANE
    ),
    "given_up": _counter("respool_given_up_total", "Attempts after which the job was given up.", "class", *LANE),
    "holds": _counter("respool_lane_holds_total", "What slowed a lane down.", "cut", *LANE),
    "tokens": _counter("respool_tokens_total", "Tokens that the endpoint told of.", "kind", *LANE),
    "cost_nano": _counter("respool_cost_total", "Cost in the currency of the prices.", *LANE, unit=NANO),
    "batches_created": _counter("respool_batches_created_total", "Batches that were accepted."),
    "batches_ended": _counter(
        "respool_batches_ended_total",
        "Batches that ended.",
        "status",
        known=("completed", "failed", "expired", "cancelled"),
    ),
    "events": _counter("respool_events_total", "Events that joined a feed.", "type", known=ENDPOINT_EVENTS),
    "delivery_attempts": _counter(
        "respool_delivery_attempts_total",
        "Attempts at deliveries, by how the receiver answered.",
        "result",
        known=("2xx",),
    ),
    "deliveries_ended": _counter(
        "respool_deliveries_ended_total",
        "Deliveries that ended.",
        "status",
        known=("delivered", "exhausted", "gone", "blocked", "cancelled"),
    ),
    "requests": _counter("respool_http_requests_total", "Requests that the API answered.", "route", "method", "status"),
}
"""By the name of the field in `metrics`."""

HISTOGRAMS: Mapping[str, Family] = {
    "wait": _histogram("respool_wait_seconds", "From a job's submit to its first start.", "source", *LANE),
    "upstream": _histogram("respool_upstream_seconds", "From an attempt's claim to the endpoint's answer.", *LANE),
    "delivery": _histogram("respool_delivery_seconds", "How long an attempt at a delivery took."),
    "request": _histogram(
        "respool_http_request_seconds",
        "From a request to the head of its answer.",
        "route",
        "method",
        bounds=REQUEST_SECONDS,
    ),
}

REPAIRS = ("recovered_jobs", "unclaimed_jobs", "reindexed_jobs", "recovered_deliveries", "unclaimed_deliveries")
REPAIRED = _counter("respool_repairs_total", "What a sweep put right.", "kind", known=REPAIRS)
DISPATCHED = _counter(
    "respool_dispatches_total", "Runs of the dispatcher that released something.", "what", known=("jobs", "deliveries")
)
FAMILIES = (*COUNTERS.values(), *HISTOGRAMS.values(), REPAIRED, DISPATCHED)


def read_counters(metrics: Mapping[bytes, bytes], counters: Mapping[bytes, bytes]) -> list[Reading]:
    """From the hashes `metrics` and `counters`."""
    found: dict[str, dict[str, int]] = {}
    for field, value in metrics.items():
        name, _, rest = field.decode(errors="replace").partition("\n")
        found.setdefault(name, {})[rest] = int(value)
    told = {name.decode(): value for name, value in counters.items()}
    return [
        *(_counted(family, found.get(name, {})) for name, family in COUNTERS.items()),
        *(_timed(family, found.get(f"{name}_bucket", {}), found.get(f"{name}_ms", {}))
          for name, family in HISTOGRAMS.items()),
        Reading(family=REPAIRED, samples={(kind,): float(told.get(kind, 0)) for kind in REPAIRS}),
        Reading(
            family=DISPATCHED,
            samples={
                ("jobs",): float(told.get("dispatches", 0)),
                ("deliveries",): float(told.get("delivery_dispatches", 0)),
            },
        ),
    ]  # fmt: skip


def _counted(family: Family, counts: Mapping[str, int]) -> Reading:
    samples: dict[Labels, float] = {(value,): 0.0 for value in family.known}
    if not family.labels:
        samples[()] = 0.0
    for labels, count in _by_labels(family, counts):
        samples[labels] = count / family.unit
    return Reading(family=family, samples=samples)


def _timed(family: Family, buckets: Mapping[str, int], milliseconds: Mapping[str, int]) -> Reading:
    counts: dict[Labels, dict[str, int]] = {} if family.labels else {(): {}}
    for field, count in buckets.items():
        bound, _, rest = field.partition("\n")
        counts.setdefault(labels_of(family, rest), {})[bound] = count
    sums = dict(_by_labels(family, milliseconds))
    return Reading(
        family=family,
        samples={
            labels: Distribution(buckets=found, sum_seconds=sums.get(labels, 0) / 1000)
            for labels, found in counts.items()
        },
    )


def _by_labels(family: Family, counts: Mapping[str, int]) -> Iterable[tuple[Labels, int]]:
    return ((labels_of(family, rest), count) for rest, count in counts.items())


def labels_of(family: Family, text: str) -> Labels:
    """The values of its labels; a lane, which stands last in the field, becomes its account and its model."""
    if not family.labels:
        return ()
    values = text.split("\n")
    if family.labels[-2:] != LANE:
        return tuple(values)
    return (*values[:-1], account_of(values[-1]), model_of(values[-1]))
