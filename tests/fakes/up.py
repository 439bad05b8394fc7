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
import requests

from tests.fakes.processes import CLEAN
from tests.fakes.waiting import wait_until

READY = "respool ready at "
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

    def start(self) -> "Up":
        """Returns when it says that it is ready."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "respool", "up", "--port", "0", "--data", str(self.data), *self.arguments],
            stdout=subprocess.PIPE,
            stderr=self.log.open("a"),
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

    def ending(self, job_id: str, *, seconds: float = 60.0) -> str:
        """The status in which the job ends."""
        deadline = time.monotonic() + seconds
        while True:
            answer = self.ask("GET", f"/v1/jobs/{job_id}", headers={"Prefer": "wait=10"})
            assert answer.status_code == 200, answer.text
            job = answer.json()
            if job["finished_at"] is not None:
                return str(job["status"])
            assert time.monotonic() < deadline, f"{job}\n{self.log.read_text()}"

    def endings(self, job_ids: Iterable[str]) -> set[str]:
        """All the statuses in which the jobs end."""
        return {self.ending(job_id) for job_id in job_ids}

    def count(self, status: str, *, most: int = 100) -> int:
        """How many jobs have the status, if it is no more than `most`."""
        answer = self.ask("GET", "/v1/jobs", params={"status": status, "limit": most})
        assert answer.status_code == 200, answer.text
        return len(answer.json()["data"])

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """A `respool` command that finds this service by its folder."""
        return respool(*arguments, "--data", str(self.data), stdin=stdin)

    def processes(self) -> list[psutil.Process]:
        """All that belong to this service, guard included: each holds the folder's lock of processes open."""
        lock = str(self.data / "processes.lock")
        return [process for process in psutil.process_iter() if lock in _open_files(process)]

    def named(self, name: str) -> list[psutil.Process]:
        """Those whose command line holds `name`."""
        return [process for process in self.processes() if name in " ".join(process.cmdline())]

    def wait_until_gone(self, *, seconds: float) -> None:
        wait_until(lambda: not self.processes(), seconds=seconds)

    def clean_up(self) -> None:
        """Kills whatever is left."""
        if hasattr(self, "process"):
            self.process.kill()
            self.process.communicate()
        for process in self.processes():
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)


def _open_files(process: psutil.Process) -> set[str]:
    try:
        return {file.path for file in process.open_files()}
    except psutil.Error:
        return set()
