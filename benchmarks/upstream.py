"""The endpoint as the benchmarks start and ask it."""

from __future__ import annotations

import http.client
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.child import Child

CHECKOUT = Path(__file__).parents[1]
LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Times are those of the monotonic clock."""

    calls: int
    answered: int
    most_open: int
    first_at: float
    last_at: float


@dataclass(slots=True, kw_only=True)
class Upstream:
    port: int
    scheme: str
    pid: int

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def counts(self) -> Counts:
        return Counts(**self._ask("/counts"))

    def arrivals(self) -> dict[str, tuple[float, float]]:
        """When each marked request came, by the monotonic and by the wall clock."""
        return {mark: (at[0], at[1]) for mark, at in self._ask("/arrivals").items()}

    def wait(self, answered: int, *, workers: Sequence[Child] = (), seconds: float = 600) -> Counts:
        """Returns when so many calls were answered. Raises RuntimeError if one of the workers ends before."""
        deadline = time.monotonic() + seconds
        while (found := self.counts()).answered < answered:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the endpoint answered {found.answered} calls of {answered} in {seconds:g} s")
            for worker in workers:
                worker.check()
            time.sleep(LOOK_SECONDS)
        return found

    def wait_for_first(self, *, workers: Sequence[Child] = (), seconds: float = 120) -> Counts:
        deadline = time.monotonic() + seconds
        while not (found := self.counts()).calls:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no call came in {seconds:g} s")
            for worker in workers:
                worker.check()
            time.sleep(LOOK_SECONDS)
        return found

    def _ask(self, path: str) -> dict[str, Any]:
        if self.scheme == "https":
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                "127.0.0.1", self.port, timeout=60, context=ssl._create_unverified_context()
            )
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            found: dict[str, Any] = json.loads(connection.getresponse().read())
            return found
        finally:
            connection.close()


@contextmanager
def running_upstream(*options: str) -> Iterator[Upstream]:
    """`options` are words of its command line."""
    command = [sys.executable, "-m", "benchmarks.endpoint", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=CHECKOUT) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline())
            scheme = "https" if _is_tls(options) else "http"
            yield Upstream(port=port, scheme=scheme, pid=process.pid)
        finally:
            process.kill()


def _is_tls(options: Sequence[str]) -> bool:
    return "--certificate" in options
