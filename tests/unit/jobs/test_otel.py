"""Spans as an exporter gets them; OpenTelemetry is an extra, which `make setup` installs."""

from collections.abc import Iterator, Sequence

import pytest

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from jobs.otel import Collecting, Told, open_collected
from jobs.tracing import UNTRACED

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Iterator[Collecting]:
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    yield Collecting(provider)
    provider.shutdown()


def traceparent_of(span: ReadableSpan) -> str:
    found = span.get_span_context()
    assert found is not None
    return f"00-{found.trace_id:032x}-{found.span_id:016x}-01"


def test_a_span_belongs_to_what_it_is_told_to_and_what_it_calls_to_it(
    tracer: Collecting, exporter: InMemorySpanExporter
) -> None:
    with tracer.span("attempt", kind="consumer", within=f"00-{TRACE}-{SPAN}-01") as outer:
        with tracer.span("call", kind="client") as inner:
            inner.say(http__response__status_code=200, nothing=None)
        outer.call("job attempt")
    call, attempt = exporter.get_finished_spans()
    assert (attempt.name, outer.traceparent, inner.traceparent) == (
        "job attempt",
        traceparent_of(attempt),
        traceparent_of(call),
    )
    assert attempt.parent is not None
    assert call.parent is not None
    assert f"{attempt.parent.span_id:016x}" == SPAN
    assert traceparent_of(attempt)[3:35] == traceparent_of(call)[3:35] == TRACE
    assert call.parent.span_id == attempt.get_span_context().span_id  # type: ignore[union-attr]
    assert dict(call.attributes or {}) == {"http.response.status_code": 200}


def test_what_belongs_to_nothing_begins_a_trace(tracer: Collecting, exporter: InMemorySpanExporter) -> None:
    with tracer.span("a", kind="server", within=""), tracer.span("b", kind="server", within=""):
        pass
    assert [span.parent for span in exporter.get_finished_spans()] == [None, None]


def test_an_error_marks_its_span_by_its_type_alone(tracer: Collecting, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="sent"), tracer.span("a", kind="server"):
        raise ValueError("what a caller sent")
    (span,) = exporter.get_finished_spans()
    assert span.status.description == "ValueError"
    assert "what a caller sent" not in span.to_json()


def test_an_exporter_that_is_not_there_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    assert open_collected({"OTEL_TRACES_EXPORTER": "no-such"}, service="s") is UNTRACED
    assert "no-such" in caplog.text


class Away(InMemorySpanExporter):
    """A collector that is there, away, or fails in ways of its own, by turns."""

    def __init__(self, *turns: SpanExportResult | Exception) -> None:
        super().__init__()
        self._turns = list(turns)
        self.closed = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        turn = self._turns.pop(0)
        if isinstance(turn, Exception):
            raise turn
        return turn

    def shutdown(self) -> None:
        self.closed = True


def test_a_collector_that_is_away_is_told_of_once_and_once_that_it_is_back(caplog: pytest.LogCaptureFixture) -> None:
    good, bad = SpanExportResult.SUCCESS, SpanExportResult.FAILURE
    told = Told(Away(good, bad, ValueError("odd"), bad, good, good))
    with caplog.at_level("INFO"):
        assert [told.export([]) for _ in range(6)] == [good, bad, bad, bad, good, good]
    assert caplog.messages == ["traces get lost: nobody takes them", "traces are taken again"]


@pytest.mark.parametrize("last", [SpanExportResult.SUCCESS, SpanExportResult.FAILURE])
def test_a_process_that_ends_waits_for_no_collector_that_is_away(last: SpanExportResult) -> None:
    exporter = Away(last)
    told = Told(exporter)
    told.export([])
    told.leave()
    assert exporter.closed == (last is SpanExportResult.FAILURE)


def test_a_trace_that_its_caller_does_not_sample_is_handed_on_and_not_collected(
    tracer: Collecting, exporter: InMemorySpanExporter
) -> None:
    with tracer.span("attempt", kind="consumer", within=f"00-{TRACE}-{SPAN}-00") as span:
        assert span.traceparent.startswith(f"00-{TRACE}-")
        assert span.traceparent.endswith("-00")
    assert exporter.get_finished_spans() == ()
