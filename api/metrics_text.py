"""The metrics as Prometheus reads them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from jobs.metrics.family import Distribution, Reading


class _Collected(Collector):
    def __init__(self, readings: Sequence[Reading]) -> None:
        self._readings = readings

    def collect(self) -> Iterator[Metric]:
        return map(_metric, self._readings)


def exposed(readings: Sequence[Reading]) -> bytes:
    """The text format, version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collected(readings))
    return generate_latest(registry)


def _metric(reading: Reading) -> Metric:
    family = reading.family
    if family.kind == "histogram":
        return _histogram(reading)
    metric: CounterMetricFamily | GaugeMetricFamily
    if family.kind == "counter":
        metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
    else:
        metric = GaugeMetricFamily(family.name, family.help, labels=family.labels)
    for labels, value in reading.samples.items():
        if not isinstance(value, Distribution):
            metric.add_metric(labels, value)
    return metric


def _histogram(reading: Reading) -> Metric:
    metric = HistogramMetricFamily(reading.family.name, reading.family.help, labels=reading.family.labels)
    for labels, value in reading.samples.items():
        if isinstance(value, Distribution):
            metric.add_metric(labels, buckets=list(_summed(value, reading.family.bounds)), sum_value=value.sum_seconds)
    return metric


def _summed(value: Distribution, bounds: Sequence[str]) -> Iterable[tuple[str, float]]:
    """How many are within each bound."""
    total = 0
    for bound in bounds:
        total += value.buckets.get(bound, 0)
        yield bound, float(total)
