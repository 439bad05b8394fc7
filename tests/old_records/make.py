"""Makes the records of an older release by running it: `python -m tests.old_records.make RELEASE COMMIT`, in a clone
with its history.

API, workers and command line are those of the commit; what they leave in Redis becomes RELEASE.ndjson.
"""

import io
import json
import signal
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis
import requests

from jobs import keys
from tests.factories import MODEL
from tests.fakes.old_records import FOLDER, lines_of
from tests.fakes.processes import CLEAN, Running
from tests.fakes.raw_server import http_answer, raw_server
from tests.fakes.redis_server import free_port, running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

CHECKOUT = Path(__file__).parents[2]
WORKER = (
    *("celery", "-A", "worker.main", "worker", "--pool", "gevent", "--concurrency", "16"),
    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
)
BUSY = http_answer(b'{"error":{"message":"busy"}}', "Retry-After: 60", status="500 Internal Server Error")


class OldService:
    """The release's own API and workers, on a Redis of their own."""

    def __init__(self, folder: Path, redis_url: str, client: redis.Redis) -> None:
        self._folder = folder
        self._client = client
        self._settings = {
            "PYTHONPATH": str(folder),
            "RESPOOL_REDIS_URL": redis_url,
            "RESPOOL_UPSTREAM_API_KEY": "any",
            "RESPOOL_SLOTS": "20",
        }
        self.base = ""
        self.keys: dict[str, str] = {}
        self.jobs: dict[str, dict[str, Any]] = {}

    @contextmanager
    def api(self) -> Iterator[None]:
        port = free_port()
        command = ["gunicorn", "--config", "python:api.gunicorn_config", "--bind", f"127.0.0.1:{port}", "api.main:app"]
        running = self._start(command, WEB_CONCURRENCY="1")
        self.base = f"http://127.0.0.1:{port}"
        try:
            wait_until(self._answers, seconds=60)
            yield
        finally:
            running.stop()

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.base}/healthz", timeout=1).ok
        except requests.RequestException:
            return False

    def worker(self, name: str, upstream: str) -> Running:
        """A worker process that has told of itself."""
        before = set(self._client.zrange(keys.WORKERS, 0, -1))
        command = [*WORKER, "--hostname", f"{name}@test"]
        running = self._start(command, RESPOOL_UPSTREAM_URL=f"{upstream}/v1")
        wait_until(lambda: set(self._client.zrange(keys.WORKERS, 0, -1)) > before, seconds=60)
        return running

    def _start(self, command: list[str], **settings: str) -> Running:
        log = self._folder / "output.log"
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=self._folder, env=CLEAN | self._settings | settings, stdout=output, stderr=output,
            )  # fmt: skip
        return Running(process=process, log=log)

    def key(self, name: str, *options: str) -> None:
        made = subprocess.run(
            [sys.executable, "-m", "respool", "keys", "create", *options],
            cwd=self._folder, env=CLEAN | self._settings, capture_output=True, text=True, check=True,
        )  # fmt: skip
        self.keys[name] = made.stdout.strip()

    def submit(self, name: str, *, project: str = "acme", key: str = "", fault: str = "", **options: Any) -> None:
        """A job that the file calls `name`."""
        metadata = {"name": name} | ({"sandbox": fault} if fault else {})
        body = {"request": {"model": MODEL, "input": f"hello from {name}", "metadata": metadata}, **options}
        headers = {"Authorization": f"Bearer {self.keys[project]}"} | ({"Idempotency-Key": key} if key else {})
        answer = requests.post(f"{self.base}/v1/jobs", json=body, headers=headers, timeout=10)
        answer.raise_for_status()
        self.jobs[name] = {"id": answer.json()["id"], "project": project, "key": key, "body": body}

    def cancel(self, name: str) -> None:
        headers = {"Authorization": f"Bearer {self.keys[self.jobs[name]['project']]}"}
        requests.post(
            f"{self.base}/v1/jobs/{self.jobs[name]['id']}/cancel", headers=headers, timeout=10
        ).raise_for_status()

    def stage(self, name: str) -> str:
        found: Any = self._client.hget(keys.job(self.jobs[name]["id"].removeprefix("job_")), "stage")
        return str(found.decode())


def make(release: str, commit: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _extract(commit, folder / "release")
        with running_redis(folder) as server, redis.Redis.from_url(server.url) as client:
            service = OldService(folder / "release", server.url, client)
            try:
                with service.api():
                    _fill(service)
            except AssertionError:
                sys.exit((folder / "release" / "output.log").read_text())
            about = {"release": release, "commit": commit, "keys": service.keys, "jobs": service.jobs}
            seconds, _ = client.time()
            lines = [about | {"taken_at": seconds}, *lines_of(client)]
    (FOLDER / f"{release}.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _fill(service: OldService) -> None:
    """A job in each place that one can be in; those in the hands of a worker lose it by kill -9."""
    for project in ("acme", "globex"):
        service.key(project, "--project", project)
    service.key("admin", "--admin")
    _end_some(service)
    _delay_one(service)
    _lose_some(service)
    for name, key in (("queued", "key of queued"), ("queued_too", "")):
        service.submit(name, key=key)
    service.submit("queued_elsewhere", project="globex", max_attempts=2)
    service.submit("cancelled", key="key of cancelled")
    service.cancel("cancelled")


def _end_some(service: OldService) -> None:
    with running_sandbox() as sandbox:
        worker = service.worker("first", sandbox)
        service.submit("completed", key="key of completed")
        service.submit("completed_elsewhere", project="globex")
        service.submit("failed", fault="status=400;code=InvalidParameter")
        wait_until(lambda: {service.stage(name) for name in service.jobs} == {"ended"}, seconds=30)
        worker.stop()


def _delay_one(service: OldService) -> None:
    with raw_server(BUSY) as upstream:
        worker = service.worker("second", upstream.url)
        service.submit("delayed", key="key of delayed")
        wait_until(lambda: service.stage("delayed") == "delayed", seconds=30)
        worker.stop()


def _lose_some(service: OldService) -> None:
    """One worker dies with calls that it made, another with jobs that were handed to it and that it had not claimed."""
    with raw_server(lambda _: upstream.over.wait()) as upstream:
        third = service.worker("third", upstream.url)
        service.submit("lost", key="key of lost")
        service.submit("lost_for_good", on_unknown="fail")
        wait_until(lambda: len(upstream.requests) == 2, seconds=30)
        fourth = service.worker("fourth", upstream.url)
        fourth.process.send_signal(signal.SIGSTOP)
        service.submit("dispatched")
        wait_until(lambda: service.stage("dispatched") == "dispatched", seconds=30)
        assert service.stage("lost") == "running"
        fourth.kill()
        third.kill()
    assert service.stage("dispatched") == "dispatched"


def _extract(commit: str, folder: Path) -> None:
    archive = subprocess.run(["git", "archive", commit], cwd=CHECKOUT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


if __name__ == "__main__":
    make(*sys.argv[1:])
