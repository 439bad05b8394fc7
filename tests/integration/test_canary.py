"""Secrets, bodies and query strings are in no line, no error, no metric and, but sealed, nowhere in Redis."""

import base64
import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
import requests

from jobs.webhooks.secrets import new_secret
from tests.factories import MODEL
from tests.fakes.processes import running_api, running_sender, running_worker
from tests.fakes.receiver import Receiver, Reply, running_receiver
from tests.fakes.redis_server import KEEPING, RedisServer, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

BODY = "canary-in-the-body"
QUERY = "canary-in-the-query"
UPSTREAM_KEY = "canary-of-the-upstream"
REDIS_PASSWORD = "canary-of-redis"
SERVICE_SECRET = "canary-of-the-service"
API_KEY = "rsp_canary-of-the-caller"
WEBHOOK_SECRET = new_secret()
OWN_SECRET = "whsec_" + base64.b64encode(b"canary-of-one-jobs-own-webhook").decode()

IN_NO_LINE = (BODY, QUERY, UPSTREAM_KEY, REDIS_PASSWORD, SERVICE_SECRET, API_KEY, WEBHOOK_SECRET, OWN_SECRET, "canary")
NOT_IN_REDIS = (QUERY, UPSTREAM_KEY, REDIS_PASSWORD, SERVICE_SECRET, API_KEY, WEBHOOK_SECRET, OWN_SECRET)
"""Bodies are what it is for."""


@dataclass(slots=True, kw_only=True)
class Service:
    base: str
    server: RedisServer
    folder: Path
    receiver: Receiver
    answers: list[str]

    def ask(self, method: str, path: str, *, key: str = API_KEY, **parts: object) -> requests.Response:
        headers = {"Authorization": f"Bearer {key}"}
        answer = requests.request(method, self.base + path, headers=headers, timeout=20, **parts)  # type: ignore[arg-type]
        if not answer.ok:
            self.answers.append(answer.text)
        return answer

    def submit(self, fault: str = "", **changes: object) -> requests.Response:
        request = {"model": MODEL, "input": BODY, "metadata": {"sandbox": fault} if fault else {}}
        webhook = {"url": f"{self.receiver.url}/in?token={QUERY}", "secret": OWN_SECRET}
        return self.ask("POST", "/v1/jobs", json={"request": request, "webhook": webhook, **changes})

    def ended(self) -> bool:
        jobs = self.ask("GET", "/v1/jobs").json()["data"]
        return all(job["finished_at"] for job in jobs)

    def lines(self) -> str:
        return "".join(file.read_text() for file in sorted(self.folder.glob("*.log")))


@pytest.fixture(params=["json", "text"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "redis").mkdir()
    replies = iter([Reply(status=500)])
    with (
        running_redis(tmp_path / "redis", *KEEPING) as server,
        running_sandbox() as sandbox,
        running_receiver(lambda _: next(replies, Reply())) as receiver,
    ):
        with redis.Redis(port=server.port) as open_client:
            open_client.config_set("requirepass", REDIS_PASSWORD)
        url = f"redis://:{REDIS_PASSWORD}@127.0.0.1:{server.port}/0"
        environ = {
            "RESPOOL_REDIS_URL": url,
            "RESPOOL_SECRET": SERVICE_SECRET,
            "RESPOOL_API_KEY": API_KEY,
            "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
            "RESPOOL_UPSTREAM_API_KEY": UPSTREAM_KEY,
            "RESPOOL_WEBHOOK_ALLOW": "127.0.0.0/8",
            "RESPOOL_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "RESPOOL_WEBHOOK_SCHEDULE": "0,0.2,0.2",
            "RESPOOL_LOG_LEVEL": "DEBUG",
            "RESPOOL_LOG_FORMAT": request.param,
            "GUNICORN_CMD_ARGS": "--access-logfile -",
        }
        with (
            running_worker(tmp_path, environ),
            running_sender(tmp_path, environ),
            running_api(tmp_path, environ) as base,
        ):
            yield Service(base=base, server=server, folder=tmp_path, receiver=receiver, answers=[])


def garbled(service: Service) -> bytes:
    """What comes of a request that is no HTTP and has the key in it."""
    address = urlsplit(service.base)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=10) as connection:
        connection.sendall(f"GET /v1/jobs?x={QUERY} {API_KEY} HTTP/1.1\r\n\r\n".encode())
        return connection.recv(65536)


def test_a_canary_sings_nowhere(service: Service) -> None:
    submitted = service.submit()
    assert submitted.status_code == 202, submitted.text
    for fault in ("status=400", "status=500;times=1", "drop_after_headers", "malformed"):
        service.submit(fault, max_attempts=2)
    registered = service.ask(
        "POST", "/v1/webhook_endpoints", json={"url": f"{service.receiver.url}/all?token={QUERY}"}
    ).json()
    assert registered["url"].endswith(QUERY)
    service.ask("GET", f"/v1/jobs?token={QUERY}")
    service.ask("GET", "/v1/jobs", key=f"{API_KEY}-not")
    service.ask("POST", "/v1/jobs", data=f'{{"request": "{BODY}'.encode())
    service.ask("POST", "/v1/batches", json={"input_file_id": "file-none", "metadata": {"x": UPSTREAM_KEY}})
    head, _, told = garbled(service).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400")
    assert json.loads(told)["error"]["code"] == "bad_request"
    assert b"canary" not in told
    wait_until(service.ended, seconds=60)
    wait_until(lambda: any(QUERY in request.path for request in service.receiver.requests))
    shown = service.ask("GET", f"/v1/jobs/{submitted.json()['id']}").json()
    assert shown["webhook"]["url"].endswith(QUERY)

    lines, metrics = service.lines(), service.ask("GET", "/metrics").text
    assert submitted.json()["id"] in lines
    assert [word for word in IN_NO_LINE if word in lines] == []
    assert [word for word in IN_NO_LINE if word in metrics] == []
    dump = b"".join(file.read_bytes() for file in service.server.folder.rglob("*") if file.is_file())
    assert BODY.encode() in dump
    assert [word for word in NOT_IN_REDIS if word.encode() in dump] == []
    service.server.kill()
    assert service.submit().status_code == 503
    wait_until(lambda: service.lines().count("Redis cannot be reached") >= 3, seconds=60)
    wait_until(lambda: "Cannot connect to" in service.lines(), seconds=60)
    assert [word for word in IN_NO_LINE if word in service.lines()] == []
    secrets = [word for word in NOT_IN_REDIS if word != QUERY]
    assert [word for answer in service.answers for word in secrets if word in answer] == []
