"""Hangs up on a call that waits, and prints what its maker was told: run apart, so that gevent can patch everything.

Words of the command line: URL, and a CA file or "".
"""

import sys

from gevent import monkey

monkey.patch_all()

import threading  # noqa: E402
from pathlib import Path  # noqa: E402

from worker.calls import CANCELLED, Call  # noqa: E402
from worker.errors import HungUp  # noqa: E402
from worker.responses_client import ResponsesClient  # noqa: E402
from worker.session import open_session  # noqa: E402


def hang_up_when_connected(call: Call) -> None:
    pause = threading.Event()
    while not call.connected:
        pause.wait(0.01)
    pause.wait(0.1)  # the reader is in its wait by now; if not, the hang-up is none the less valid
    call.hang_up(CANCELLED)


def main(url: str, ca_file: str) -> None:
    session = open_session(connections=1, ca_file=Path(ca_file) if ca_file else None)
    client = ResponsesClient(
        session, url=url, api_key="", connect_timeout_seconds=5, read_timeout_seconds=30, max_bytes=10**6
    )
    call = Call(seconds=60)
    threading.Thread(target=hang_up_when_connected, args=(call,), daemon=True).start()
    try:
        client.create(b"{}", idempotency_key="job_1", call=call)
    except HungUp as ended:
        print(ended.why, ended.sent)  # noqa: T201 - this is how the test hears of it


main(*sys.argv[1:])
