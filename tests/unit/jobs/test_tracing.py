import subprocess
import sys

import pytest

from jobs.tracing import UNTRACED, current, open_tracer

GOOD = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_without_a_collector_a_trace_is_handed_on_as_it_came() -> None:
    with UNTRACED.span("attempt", kind="consumer", within=GOOD) as outer:
        assert outer.traceparent == GOOD
        with UNTRACED.span("call", kind="client") as inner:
            assert inner.traceparent == GOOD
    assert current().traceparent == ""


@pytest.mark.parametrize(
    "environ",
    [{}, {"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"},
     {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}],
)  # fmt: skip
def test_nobody_collects_unless_the_environment_asks_for_it(environ: dict[str, str]) -> None:
    assert open_tracer(environ, service="s") is UNTRACED


@pytest.mark.parametrize(("environ", "imported"), [({}, 0), ({"OTEL_TRACES_EXPORTER": "console"}, 1)])
def test_what_collects_is_imported_where_it_is_asked_for_alone(environ: dict[str, str], imported: int) -> None:
    code = (
        "import sys; from jobs.tracing import open_tracer; import worker.process, api.app; "
        f"open_tracer({environ}, service='s'); sys.exit('jobs.otel' in sys.modules)"
    )
    if imported:
        pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == imported


def test_where_it_is_not_installed_there_are_no_traces_and_a_line_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("jobs.tracing.find_spec", lambda _: None)
    assert open_tracer({"OTEL_TRACES_EXPORTER": "console"}, service="s") is UNTRACED
    assert "respool[otel]" in caplog.text
