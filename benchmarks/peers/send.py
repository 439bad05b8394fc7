"""Queues jobs with a peer's own client: `python send.py MODULE COUNT [PAUSE]` prints the seconds and the times."""

import importlib
import json
import sys
import time

from work import paced


def main() -> None:
    module, count = importlib.import_module(sys.argv[1]), int(sys.argv[2])
    pause = float(sys.argv[3]) if len(sys.argv) > 3 else 0.0
    module.open_client()
    started = time.perf_counter()
    sent = list(paced(count, pause, module.send))
    seconds = time.perf_counter() - started
    module.close_client()
    print(json.dumps({"seconds": seconds, "sent": sent}))


if __name__ == "__main__":
    main()
