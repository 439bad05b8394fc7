import subprocess
import sys

import pytest

from jobs import keys
from jobs.lanes import TASK
from jobs.settings import Settings
from jobs.webhooks.releases import DELIVER_TASK
from worker.app import make_app
from worker.process import Process
from worker.webhooks.process import SenderProcess


@pytest.fixture(scope="module")
def conf() -> object:
    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    return make_app(settings, Process(settings, {}), task=TASK).conf


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("accept_content", ["json"]), ("task_serializer", "json"), ("task_ignore_result", True),
        ("task_acks_late", False), ("result_backend", None), ("worker_prefetch_multiplier", 1),
        ("worker_enable_prefetch_count_reduction", False), ("worker_enable_remote_control", False),
        ("worker_cancel_long_running_tasks_on_connection_loss", False), ("broker_connection_max_retries", None),
        ("broker_connection_retry_on_startup", True), ("broker_url", "redis://127.0.0.1:1/0"),
    ],
)  # fmt: skip
def test_a_setting_on_which_safety_rests_is_as_it_must_be(name: str, value: object, conf: object) -> None:
    assert getattr(conf, name) == value


@pytest.mark.parametrize(
    ("name", "value"),
    [("ack_emulation", False), ("socket_timeout", 30), ("socket_connect_timeout", 5), ("socket_keepalive", True),
     ("health_check_interval", 15)],
)  # fmt: skip
def test_the_transport_neither_emulates_acks_nor_hangs(name: str, value: object, conf: object) -> None:
    assert conf.broker_transport_options[name] == value  # type: ignore[attr-defined]


def test_each_process_consumes_its_own_queue_alone() -> None:
    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    processes = [Process(settings, {}), Process(settings, {})]
    assert processes[0].id != processes[1].id
    for process in processes:
        app = make_app(settings, process, task=TASK)
        (queue,) = app.conf.task_queues
        assert (queue.name, queue.exchange.name) == (keys.worker_queue(process.id), "")
        assert [name for name in app.tasks if not name.startswith("celery.")] == [TASK] == ["respool.run"]


def test_a_senders_application_takes_deliveries_alone() -> None:
    settings = Settings(redis_url="redis://127.0.0.1:1/0")
    process = SenderProcess(settings)
    app = make_app(settings, process, task=DELIVER_TASK)
    assert [queue.name for queue in app.conf.task_queues] == [keys.worker_queue(process.id)]
    assert [name for name in app.tasks if not name.startswith("celery.")] == [DELIVER_TASK] == ["respool.deliver"]


def test_a_broker_that_is_away_holds_up_nothing_else_of_a_gevent_process() -> None:
    command = [sys.executable, "-m", "tests.fakes.lost_broker"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "another greenlet had its turn", done.stderr
