"""One trace from the POST to the webhook, over the service's own processes."""

from pathlib import Path

import pytest
import requests

pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")

from jobs.webhooks.secrets import new_secret
from tests.factories import MODEL
from tests.fakes.processes import running_api, running_sender, running_worker
from tests.fakes.receiver import running_receiver
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.spans import Collector, running_collector
from tests.fakes.waiting import wait_until

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEY = "rsp_test-of-traces"


def environ(redis_url: str, sandbox: str, collector: Collector) -> dict[str, str]:
    return {
        "RESPOOL_REDIS_URL": redis_url,
        "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
        "RESPOOL_UPSTREAM_API_KEY": "any",
        "RESPOOL_API_KEY": KEY,
        "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
        "RESPOOL_WEBHOOK_SECRET": new_secret(),
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "WEB_CONCURRENCY": "1",
    }


def test_a_callers_trace_goes_over_both_attempts_and_their_calls_to_the_webhook(redis_url: str, tmp_path: Path) -> None:
    with running_collector() as collector, running_sandbox() as sandbox, running_receiver() as receiver:
        given = environ(redis_url, sandbox, collector)
        with running_worker(tmp_path, given), running_sender(tmp_path, given), running_api(tmp_path, given) as base:
            answer = requests.post(
                f"{base}/v1/jobs",
                headers={"Authorization": f"Bearer {KEY}", "traceparent": f"00-{TRACE}-{SPAN}-01"},
                json={
                    "request": {"model": MODEL, "input": "hello", "metadata": {"sandbox": "status=500;times=1"}},
                    "webhook": {"url": f"{receiver.url}/in?token=hush"},
                },
                timeout=10,
            )
            assert answer.status_code == 202, answer.text
            wait_until(lambda: len(collector.named("webhook delivery")) == 1, seconds=30)
            wait_until(lambda: len(collector.named("job attempt")) == 2)
            wait_until(lambda: len(collector.named("POST /v1/jobs")) == 1)
    (posted,), (delivered,) = collector.named("POST /v1/jobs"), collector.named("webhook delivery")
    attempts, called = collector.named("job attempt"), collector.named("POST responses")
    assert {span.trace for span in collector.spans} == {TRACE}
    assert posted.parent == SPAN
    assert {span.parent for span in (*attempts, delivered)} == {posted.span}
    assert {span.parent for span in called} == {span.span for span in attempts}
    assert [span.facts["respool.attempt"] for span in attempts] == ["1", "2"]
    assert [span.facts["http.response.status_code"] for span in called] == ["500", "200"]
    assert {span.facts["respool.job_id"] for span in (posted, *attempts, delivered)} == {answer.json()["id"]}
    assert {posted.service, attempts[0].service, delivered.service} == {
        "respool-api",
        "respool-worker",
        "respool-webhooks",
    }
    (received,) = receiver.requests
    assert received.headers["traceparent"] == f"00-{TRACE}-{delivered.span}-01"
    assert b"hush" not in collector.bytes
