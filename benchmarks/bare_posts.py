"""What a loop of requests gets out of the same receiver: `python -m benchmarks.bare_posts URL COUNT` prints seconds."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402 - gevent patches first
import time  # noqa: E402

import requests  # noqa: E402
from gevent.pool import Pool  # noqa: E402
from requests.adapters import HTTPAdapter  # noqa: E402

WIDTH = 64
BODY = b"x" * 500

if __name__ == "__main__":
    url, count = sys.argv[1], int(sys.argv[2])
    session = requests.Session()
    session.mount("http://", HTTPAdapter(pool_maxsize=WIDTH))
    pool = Pool(WIDTH)
    started = time.perf_counter()
    for _ in range(count):
        pool.spawn(session.post, url, data=BODY, timeout=15)
    pool.join()
    print(time.perf_counter() - started)
