"""A collector of traces on loopback: what OpenTelemetry's exporters send over HTTP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """A span; ids are hexadecimal, `parent` is "" for the first of a trace, `service` is who made it."""

    service: str
    name: str
    trace: str
    span: str
    parent: str
    facts: dict[str, str]


@dataclass(slots=True, kw_only=True)
class Collector:
    url: str
    spans: list[Collected] = field(default_factory=list)
    bytes: bytes = b""
    """All that came, as it came."""

    def named(self, name: str) -> list[Collected]:
        return [span for span in self.spans if span.name == name]


@contextmanager
def running_collector() -> Iterator[Collector]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            collector.bytes += body
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                told = {fact.key: fact.value.string_value for fact in resource.resource.attributes}
                for span in [span for scope in resource.scope_spans for span in scope.spans]:
                    facts = {f.key: f.value.string_value or str(f.value.int_value) for f in span.attributes}
                    collector.spans.append(
                        Collected(
                            service=told["service.name"],
                            name=span.name,
                            trace=span.trace_id.hex(),
                            span=span.span_id.hex(),
                            parent=span.parent_span_id.hex(),
                            facts=facts,
                        )
                    )
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    collector = Collector(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield collector
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
