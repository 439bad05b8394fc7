"""`respool up` as its users run it, with every process of it accounted for."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis
import requests

from respool.lifeline import Lifeline, announced
from tests.fakes.processes import CLEAN
from tests.fakes.waiting import wait_until

READY = "respool ready at "
MOST_SECONDS = 60.0
MODEL = "glm-4-7-251222"


def respool(
    *arguments: str, stdin: str = "", environ: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """A command run to its end, with no settings but `environ`."""
    return subprocess.run(
        [sys.executable, "-m", "respool", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        env=CLEAN | (environ or {}),
        timeout=60,
        check=False,
    )


@dataclass(kw_only=True)
class Up:
    """One `respool up` on the folder `data`, on a free port."""

    data: Path
    arguments: tuple[str, ...] = ()
    environ: dict[str, str] = field(default_factory=dict)
    url: str = field(init=False, default="")
    key: str = field(init=False, default="")
    process: subprocess.Popen[str] = field(init=False)
    lifeline: Lifeline = field(init=False)

    def start(self) -> "Up":
        """Returns when it says that it is ready."""
        command = (sys.executable, "-m", "respool", "up", "--port", "0", "--data", str(self.data), *self.arguments)
        with self.log.open("a") as log:
            # A test process that dies itself, as one does that runs out of time, takes the service with it.
            self.lifeline = Lifeline(lock=log.fileno())
            self.process = subprocess.Popen(
                announced(command, rank=0),
                stdin=self.lifeline.descriptor,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env=CLEAN | self.environ,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith(READY), f"{line!r}\n{self.log.read_text()}"
        self.url = line.removeprefix(READY).strip()
        self.key = json.loads((self.data / "service.json").read_text())["api_key"]
        return self

    @property
    def log(self) -> Path:
        """What it and its processes wrote to stderr."""
        return self.data.with_suffix(".log")

    def ask(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.key}", **options.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=30, **options)

    def submit(self, *, fault: str = "") -> str:
        """The id of a new job; the sandbox misbehaves as `fault` says."""
        request: dict[str, Any] = {"model": MODEL, "input": "hello"}
        if fault:
            request["metadata"] = {"sandbox": fault}
        answer = self.ask("POST", "/v1/jobs", json={"request": request})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def ending(self, job_id: str, *, deadline: float | None = None) -> str:
        """The status in which the job ends."""
        deadline = deadline or time.monotonic() + MOST_SECONDS
        while True:
            answer = self.ask("GET", f"/v1/jobs/{job_id}", headers={"Prefer": "wait=10"})
            assert answer.status_code == 200, answer.text
            job = answer.json()
            if job["finished_at"] is not None:
                return str(job["status"])
            assert time.monotonic() < deadline, f"{job}\n{self.log.read_text()}"

    def endings(self, job_ids: Iterable[str]) -> set[str]:
        """All the statuses in which the jobs end."""
        deadline = time.monotonic() + MOST_SECONDS
        return {self.ending(job_id, deadline=deadline) for job_id in job_ids}

    def count(self, status: str, *, most: int = 100) -> int:
        """How many jobs have the status, if it is no more than `most`."""
        answer = self.ask("GET", "/v1/jobs", params={"status": status, "limit": most})
        assert answer.status_code == 200, answer.text
        return len(answer.json()["data"])

    def has_written(self) -> bool:
        """Whether Redis handed all it took to the operating system. It answers before that while the disk is slow."""
        with redis.Redis.from_url(json.loads((self.data / "service.json").read_text())["redis_url"]) as client:
            return client.info("persistence")["aof_buffer_length"] == 0

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A `respool` command that finds this service by its folder."""
        return respool(*arguments, "--data", str(self.data), stdin=stdin)

    def processes(self) -> list[psutil.Process]:
        """All that belong to this service, guard included: each holds the folder's lock of processes open."""
        lock = str(self.data / "processes.lock")
        return [process for process in psutil.process_iter() if lock in _open_files(process)]

    def named(self, name: str) -> list[psutil.Process]:
        """Those whose command line holds `name`."""
        return [process for process in self.processes() if name in _command_line(process)]

    def wait_until_gone(self, *, seconds: float) -> None:
        wait_until(lambda: not self.processes(), seconds=seconds)

    def clean_up(self) -> None:
        """Kills whatever is left."""
        if hasattr(self, "process"):
            self.process.kill()
            self.process.communicate()
            self.lifeline.close()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)


def _open_files(process: psutil.Process) -> set[str]:
    try:
        return {file.path for file in process.open_files()}
    except psutil.Error:
        return set()


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
