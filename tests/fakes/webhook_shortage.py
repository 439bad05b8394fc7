"""Posts of a process that can open no more files: run apart, since all of a process would suffer.

Words of the command line: `threads` or `gevent`; URL of a plain receiver; URL of one with TLS; its CA file. Prints a
JSON object: `results` (an HTTP status or an error, by the way), `warnings`, and the `limit` that was set.
"""

import sys

MODE, PLAIN, TLS, CA_FILE = sys.argv[1:]

if MODE == "gevent":
    from gevent import monkey

    monkey.patch_all()

import json  # noqa: E402
import logging  # noqa: E402
import os  # noqa: E402
import resource  # noqa: E402
from pathlib import Path  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

from tests.fakes.webhook_client import open_webhook_client  # noqa: E402
from worker.calls import Call  # noqa: E402
from worker.webhooks.client import WebhookClient  # noqa: E402
from worker.webhooks.results import Answered  # noqa: E402

LIMIT = 64


class Warnings(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.told: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.told.append(record.getMessage())


def said(client: WebhookClient, url: str) -> int | str:
    result = client.post(url, body=b"{}", headers={}, call=Call(seconds=30))
    return result.http_status if isinstance(result, Answered) else result.error


def use_up() -> list[int]:
    """Opens files until no more can be opened."""
    opened: list[int] = []
    while True:
        try:
            opened.append(os.dup(0))
        except OSError:
            return opened


def main() -> None:
    warnings, results = Warnings(), {}
    logging.getLogger().addHandler(warnings)
    with open_webhook_client(ca_file=Path(CA_FILE)) as client:
        said(client, "http://127.0.0.1:1024/")  # gevent opens files of its own at first
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (LIMIT, hard))
        opened = use_up()
        results["http"], results["https"] = said(client, PLAIN), said(client, TLS)
        os.close(opened.pop())
        results["https with a file for the socket alone"] = said(client, TLS)
        opened += use_up()
        results["by name"] = said(client, f"http://localhost:{urlsplit(PLAIN).port}/")
        for file in opened:
            os.close(file)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        results["afterwards"] = said(client, PLAIN)
    print(json.dumps({"results": results, "warnings": warnings.told, "limit": LIMIT}))  # noqa: T201 - the test reads it


main()
