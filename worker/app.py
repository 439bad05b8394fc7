"""The Celery application: how messages reach a process, and when the process starts and stops."""

from __future__ import annotations

import time
from typing import Any

from celery import Celery, signals
from celery.apps import worker as celery_worker
from kombu.entity import Exchange, Queue
from kombu.utils import functional

from jobs import keys
from jobs.connection import broker
from jobs.settings import Settings
from worker.queue_process import QueueProcess


def make_app(settings: Settings, process: QueueProcess, *, task: str) -> Celery:
    """An application whose worker consumes one queue, that of `process`, and whose life the process shares.

    `task` is the name under which its messages come.
    """
    # kombu is imported before gevent makes sleep give way: while it waits for a lost broker, it would hold up the beats
    # and calls of the whole process, for longer than a lease.
    functional.sleep = time.sleep  # type: ignore[attr-defined]  # its own import
    app = Celery("respool", set_as_current=False)
    reach = broker(settings.redis_url)
    own = keys.worker_queue(process.id)
    app.conf.update(_settings(), broker_url=reach.url, task_default_queue=own)
    # Not declared: kombu would leave two keys behind that never expire, and the anonymous exchange needs none.
    app.conf.task_queues = [Queue(own, Exchange(""), routing_key=own, no_declare=True)]
    app.conf.broker_transport_options = TRANSPORT | reach.transport_options
    app.conf.broker_use_ssl = reach.use_ssl

    @app.task(name=task, shared=False)  # type: ignore[untyped-decorator]
    def run(numbers: list[str], dispatch: int) -> None:
        process.crew.take(numbers, dispatch=str(dispatch))

    _follow(process)
    return app


TRANSPORT: dict[str, Any] = {
    "ack_emulation": False,  # a message is a hint; emulated acks cost throughput and cause duplicates
    "socket_timeout": 30,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
    "health_check_interval": 15,
    "max_connections": 200,
}


def _settings() -> dict[str, Any]:
    return {
        "accept_content": ["json"],
        "task_serializer": "json",
        "task_ignore_result": True,
        "task_acks_late": False,
        "worker_disable_prefetch": True,
        "worker_prefetch_multiplier": 1,
        "worker_enable_prefetch_count_reduction": False,
        "worker_enable_remote_control": False,
        "worker_send_task_events": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "worker_redirect_stdouts": False,
        "broker_connection_max_retries": None,
        "broker_connection_retry_on_startup": True,
        # What Redis answers when its disk is full or it has become a replica is no reason to end the process.
        "broker_channel_error_retry": True,
    }


def _follow(process: QueueProcess) -> None:
    """Ties the process to the life of Celery's worker."""

    def start(**_: Any) -> None:
        process.start()

    def drain(**_: Any) -> None:
        process.drain()

    def stop(**_: Any) -> None:
        process.stop()

    def hush(instance: Any, **_: Any) -> None:
        instance.quiet = True  # its banner is no line of a log
        celery_worker.safe_say = lambda *_, **__: None  # nor is what it says at its end

    def leave_logs(**_: Any) -> None:
        """That somebody listens is enough for Celery to leave them as jobs.logs has set them up."""

    signals.setup_logging.connect(leave_logs, weak=False)
    signals.celeryd_init.connect(hush, weak=False)
    signals.worker_ready.connect(start, weak=False)
    signals.worker_shutting_down.connect(drain, weak=False)
    signals.worker_shutdown.connect(stop, weak=False)
