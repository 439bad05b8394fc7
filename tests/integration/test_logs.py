"""The lines of all processes, from the POST to the webhook."""

import json
from pathlib import Path
from typing import Any

import requests

from jobs.webhooks.secrets import new_secret
from tests.factories import MODEL
from tests.fakes.processes import running_api, running_sender, running_worker
from tests.fakes.receiver import running_receiver
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

KEY = "rsp_test-of-logs"
TRACEPARENT = f"00-{'ab' * 16}-{'cd' * 8}-01"


def lines(folder: Path, name: str) -> list[dict[str, Any]]:
    """All that a process wrote, each line of it an object."""
    return [json.loads(line) for line in (folder / f"{name}.log").read_text().splitlines()]


def test_a_request_is_found_in_the_lines_of_api_worker_and_sender_and_every_line_is_an_object(
    redis_url: str, tmp_path: Path
) -> None:
    with running_sandbox() as sandbox, running_receiver() as receiver:
        environ = {
            "RESPOOL_REDIS_URL": redis_url,
            "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
            "RESPOOL_UPSTREAM_API_KEY": "any",
            "RESPOOL_API_KEY": KEY,
            "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
            "RESPOOL_WEBHOOK_SECRET": new_secret(),
            "RESPOOL_GRACE_SECONDS": "0",
        }
        with running_worker(tmp_path, environ) as worker, running_sender(tmp_path, environ) as sender:
            with running_api(tmp_path, environ) as base:
                answer = requests.post(
                    f"{base}/v1/jobs",
                    headers={"Authorization": f"Bearer {KEY}", "X-Request-Id": "mine", "traceparent": TRACEPARENT},
                    json={
                        "request": {"model": MODEL, "input": "hello", "metadata": {"sandbox": "status=500;times=1"}},
                        "webhook": {"url": receiver.url},
                    },
                    timeout=10,
                )
                assert answer.status_code == 202, answer.text
                wait_until(lambda: any("delivery_id" in line for line in lines(tmp_path, "sender")))
            assert (worker.stop(), sender.stop()) == (0, 0)
    job_id = answer.json()["id"]
    found = {
        name: [line for line in lines(tmp_path, name) if line.get("job_id") == job_id]
        for name in ("api", "worker", "sender")
    }
    assert [line["message"] for line in found["api"]] == [f"{job_id} accepted"]
    assert [line["attempt"] for line in found["worker"]] == [1, 2]
    assert [line["attempt"] for line in found["sender"]] == [1]
    for line in [line for group in found.values() for line in group]:
        assert (line["request_id"], line["trace_id"], line["project"]) == ("mine", "ab" * 16, "default")
    assert receiver.requests[0].headers["traceparent"] == TRACEPARENT
