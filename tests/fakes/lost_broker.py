"""Tries to reach a broker that is away at first, as Celery's consumer under gevent does, and writes what the process's
other greenlets did meanwhile: run apart, since what is imported before gevent patches matters.
"""

import sys

sys.argv = ["celery", "worker", "--pool", "gevent"]

from celery import maybe_patch_concurrency  # noqa: E402

maybe_patch_concurrency()

import gevent  # noqa: E402
from kombu.utils.functional import retry_over_time  # noqa: E402

from jobs.lanes import TASK  # noqa: E402
from jobs.settings import Settings  # noqa: E402
from worker.app import make_app  # noqa: E402
from worker.process import Process  # noqa: E402


def main() -> None:
    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    make_app(settings, Process(settings, {}), task=TASK)
    turns = []
    gevent.spawn(turns.append, "another greenlet had its turn")

    def reach() -> list[str]:
        if not turns:
            raise ConnectionError
        return turns

    sys.stdout.writelines(retry_over_time(reach, ConnectionError, max_retries=3, interval_start=0.01))


if __name__ == "__main__":
    main()
