"""Spans by OpenTelemetry's SDK, which reads the variables OTEL_… too. Imported only where traces are wanted."""

from __future__ import annotations

import atexit
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import entry_points

from opentelemetry import context, trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from jobs.tracing import NO_FACTS, UNTRACED, Fact, Kind, Span, Tracer, under_way

EXPORTERS = "opentelemetry_traces_exporter"
"""The group of entry points by which exporters are found."""
PROTOCOLS = {"http/protobuf": "otlp_proto_http", "grpc": "otlp_proto_grpc"}
KINDS = {"server": trace.SpanKind.SERVER, "consumer": trace.SpanKind.CONSUMER, "client": trace.SpanKind.CLIENT}
W3C = TraceContextTextMapPropagator()

log = logging.getLogger(__name__)


class Collected:
    """A span of OpenTelemetry."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        carrier: dict[str, str] = {}
        W3C.inject(carrier, trace.set_span_in_context(span))
        self.traceparent = carrier.get("traceparent", "")

    def call(self, name: str) -> None:
        self._span.update_name(name)

    def say(self, **facts: Fact | None) -> None:
        for name, value in facts.items():
            if value is not None:
                self._span.set_attribute(name.replace("__", "."), value)

    def fail(self, why: str) -> None:
        self._span.set_status(trace.Status(trace.StatusCode.ERROR, why))


class Collecting:
    """Spans that `provider` hands on. Texts of errors are no part of them: they may hold what a caller sent."""

    def __init__(self, provider: TracerProvider) -> None:
        self._tracer = provider.get_tracer("respool")

    @contextmanager
    def span(
        self, name: str, *, kind: Kind, within: str | None = None, facts: Mapping[str, Fact] = NO_FACTS
    ) -> Iterator[Span]:
        parent = None if within is None else W3C.extract({"traceparent": within}, context.Context())
        begun = self._tracer.start_as_current_span(
            name,
            context=parent,
            kind=KINDS[kind],
            attributes=dict(facts),
            record_exception=False,
            set_status_on_exception=False,
        )
        with begun as made:
            span = Collected(made)
            with under_way(span):
                try:
                    yield span
                except BaseException as error:
                    span.fail(type(error).__name__)
                    raise


class Told(SpanExporter):
    """`exporter`, of which it is told once that it fails, and once that it is well again: it tries all the time."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._fails = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001 - traces are no reason for anything to go wrong
            result = SpanExportResult.FAILURE
        fails = result is not SpanExportResult.SUCCESS
        if fails != self._fails:
            log.warning("traces get lost: nobody takes them") if fails else log.info("traces are taken again")
        self._fails = fails
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()

    def leave(self) -> None:
        """The process ends: it does not wait for who has not answered so far."""
        if self._fails:
            self._exporter.shutdown()


def open_collected(environ: Mapping[str, str], *, service: str) -> Tracer:
    """Spans go to the exporters that OTEL_TRACES_EXPORTER names (otlp unless it says so), in batches."""
    provider = TracerProvider(resource=_resource(service))
    names = [name.strip() for name in (environ.get("OTEL_TRACES_EXPORTER") or "otlp").split(",")]
    exporters = [found for name in names if (found := _exporter(name, environ)) is not None]
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
        atexit.register(exporter.leave)  # before the provider's own
    return Collecting(provider) if exporters else UNTRACED


def _resource(service: str) -> Resource:
    """What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES tell; they may leave the name of the service to us."""
    told = Resource.create()
    if not str(told.attributes.get("service.name", "unknown_service")).startswith("unknown_service"):
        return told
    return told.merge(Resource({"service.name": service}))


def _exporter(name: str, environ: Mapping[str, str]) -> Told | None:
    asked = environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    entry = PROTOCOLS.get(asked or "http/protobuf", "otlp_proto_http") if name == "otlp" else name
    for point in entry_points(group=EXPORTERS, name=entry):
        made: SpanExporter = point.load()()
        return Told(made)
    log.warning("there is no exporter of traces %r; its package may be missing", entry)
    return None
