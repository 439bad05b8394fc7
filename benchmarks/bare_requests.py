"""What requests alone can do: a loop in greenlets that keeps nothing and promises nothing.

`python -m benchmarks.bare_requests URL COUNT WAY` prints seconds; WAY is `session`, what `session.post` does, or
`copied`, a request prepared once and copied for each call.
"""

from __future__ import annotations

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import requests
from gevent.pool import Pool
from requests.adapters import HTTPAdapter

from benchmarks.child import Child, running
from benchmarks.contestant import Workers
from benchmarks.peers.work import HEADERS, body_of, mark_of
from benchmarks.place import Place
from benchmarks.service import python_path

WIDTH = 64
LINGER_SECONDS = 3600.0
Way = Literal["session", "copied"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BareRequests:
    """As a contestant: its jobs are made while they are worked off."""

    way: Way

    @property
    def name(self) -> str:
        return {"session": "bare requests", "copied": "bare requests, prepared once"}[self.way]

    def missing(self) -> str | None:
        return None

    def preload(self, place: Place, count: int) -> float:
        (place.folder / "count").write_text(str(count))
        return 0.0

    @contextmanager
    def working(self, place: Place, workers: Workers) -> Iterator[Sequence[Child]]:
        count = (place.folder / "count").read_text()
        words = ["-m", "benchmarks.bare_requests", f"{place.upstream.url}/v1/responses", count, self.way, "linger"]
        environ = {"PYTHONPATH": python_path()}
        with running([sys.executable, *words], folder=place.folder, name="bare", environ=environ) as child:
            yield [child]

    def answered(self, place: Place) -> int:
        return place.upstream.counts().answered


def poster(url: str, way: Way) -> Callable[[bytes], None]:
    """What makes one call and reads its answer."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_maxsize=WIDTH))
    if way == "session":
        return lambda body: session.post(url, data=body, headers=HEADERS, timeout=60).raise_for_status()
    prepared = session.prepare_request(requests.Request("POST", url, headers=HEADERS, data=b""))
    adapter = session.get_adapter(url)

    def send(body: bytes) -> None:
        request = prepared.copy()
        request.body = body
        request.headers["Content-Length"] = str(len(body))
        adapter.send(request, timeout=60).raise_for_status()

    return send


def main() -> None:
    url, count, way = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    post, pool = poster(url, "copied" if way == "copied" else "session"), Pool(WIDTH)
    started = time.perf_counter()
    for number in range(count):
        pool.spawn(post, body_of(mark_of(number)).encode())
    pool.join()
    print(time.perf_counter() - started, flush=True)
    if "linger" in sys.argv:
        time.sleep(LINGER_SECONDS)  # until its CPU time has been read


if __name__ == "__main__":
    main()
