"""How gunicorn serves the API. GUNICORN_CMD_ARGS and the command line have the last word.

Every request is a greenlet, so an answer that is held back for minutes costs a connection and nothing else;
`timeout` is about a process that no longer turns its loop at all. WEB_CONCURRENCY is the number of processes: with more
than one, a large body that is being checked holds up only the callers of its own process.
"""

import logging
import os
from typing import Any

from api.gunicorn_hooks import Lines, OneLine, flush_counts, keep_counts, leave_in_time, refuse_unsafe
from api.unreadable import answer_in_our_words
from jobs import collector, logs
from jobs.open_files import allow_open_files

bind = f"127.0.0.1:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = "gevent"
worker_connections = 10_000
"""Of each process: those who follow streams and wait, beside all who poll. The system does not share connections out
evenly, so each must have room for more than its part; one beyond that is not even refused until another leaves."""
backlog = 4096
"""Callers who come at once, as after a restart; the most that Linux takes unless told otherwise."""
timeout = 60
graceful_timeout = 20
keepalive = 15
accesslog = None
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s bytes in %(M)s ms, %({x-request-id}o)s'
"""Without the query, which may hold what nobody else should see."""
errorlog = "-"
logger_class = Lines
# gunicorn would open a socket in the home folder through which the process can be steered.
control_socket_disable = True


def on_starting(_: object) -> None:
    """Before the processes are started: each connection of theirs is an open file."""
    allow_open_files()


def post_worker_init(worker: Any) -> None:
    """In each process, before it serves."""
    logs.share("gunicorn.error", "gunicorn.access")
    logging.getLogger("gunicorn.error").addFilter(OneLine())
    answer_in_our_words()
    refuse_unsafe(worker)
    leave_in_time(worker)
    keep_counts(worker)
    collector.spare()


def worker_exit(_: object, worker: Any) -> None:
    """In each process, when it has answered its last request."""
    flush_counts(worker)
