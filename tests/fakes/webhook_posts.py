"""Posts to receivers whose names are looked up by a script: run apart, so that gevent can patch everything.

Words of the command line: `threads` or `gevent`; `rebinding` or `hanging`; URL with `NUMBER` in its host; CA file
or "". Prints a JSON object: `results` (an HTTP status or an error, and the seconds it took, by host) and `looked_up`.
"""

import sys

MODE, SCRIPT, URL, CA_FILE = sys.argv[1:]

if MODE == "gevent":
    from gevent import monkey

    monkey.patch_all()

import _socket  # noqa: E402
import json  # noqa: E402
import socket  # noqa: E402
import threading  # noqa: E402
import time  # noqa: E402
from collections import Counter  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

from gevent.monkey import get_original  # noqa: E402

from schemas.allow import Allow  # noqa: E402
from tests.fakes.webhook_client import open_webhook_client, post  # noqa: E402
from worker.webhooks.client import WebhookClient  # noqa: E402
from worker.webhooks.resolver import widen_resolver  # noqa: E402
from worker.webhooks.results import Answered  # noqa: E402

JUDGED, OTHER = "127.0.0.2", "127.0.0.3"
HANGING = 40
HANGS_SECONDS = 3.0

looked_up: Counter[str] = Counter()
results: dict[str, tuple[int | str, float]] = {}


def found(address: str, port: int) -> list[Any]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]


def rebind(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    """Whoever looks twice is sent elsewhere."""
    looked_up[host] += 1
    return found(JUDGED if looked_up[host] == 1 else OTHER, port)


def hang(host: str, port: int, *_: Any, **__: Any) -> list[Any]:
    """The first names hang, as libc does: on the native thread that asks."""
    looked_up[host] += 1
    if int(urlsplit(f"//{host}").hostname.partition(".")[0].removeprefix("h")) < HANGING:  # type: ignore[union-attr]
        get_original("time", "sleep")(HANGS_SECONDS)
    return found(JUDGED, port)


def send(client: WebhookClient, number: int, *, seconds: float) -> None:
    url = URL.replace("NUMBER", f"h{number}")
    started = time.monotonic()
    result = post(client, url, seconds=seconds)
    said = result.http_status if isinstance(result, Answered) else result.error
    results[str(urlsplit(url).hostname)] = said, time.monotonic() - started


def main() -> None:
    count, seconds = (200, 30.0) if SCRIPT == "rebinding" else (HANGING + 10, 1.0)
    _socket.getaddrinfo = rebind if SCRIPT == "rebinding" else hang
    if MODE == "threads":
        socket.getaddrinfo = _socket.getaddrinfo
    widen_resolver()
    allow = Allow.parse(JUDGED)
    with open_webhook_client(allow=allow, ca_file=Path(CA_FILE) if CA_FILE else None, connections=64) as client:
        threads = [threading.Thread(target=send, args=(client, n), kwargs={"seconds": seconds}) for n in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    print(json.dumps({"results": results, "looked_up": looked_up}))  # noqa: T201 - this is how the test hears of it


main()
