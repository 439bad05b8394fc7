"""Celery messages that come twice, or never."""

import json
import random
import time
from itertools import chain

import psutil
import redis

from jobs import keys
from jobs.lanes import TASK
from jobs.messages import message_of
from jobs.record import Stage as JobStage
from tests.chaos.stage import Stage


def doubled_messages(stage: Stage, dice: random.Random) -> None:
    """Every job that is released or runs is posted once more to its worker."""
    for key in stage.client.scan_iter(f"{keys.PREFIX}worker_jobs:*"):
        for number in stage.client.smembers(key):
            worker, dispatch, at = stage.client.hmget(keys.job(number.decode()), "worker", "dispatch", "stage")
            if worker and at in (JobStage.DISPATCHED.encode(), JobStage.RUNNING.encode()):
                _post(stage.client, keys.worker_queue(worker.decode()), number.decode(), int(dispatch))


def _post(client: redis.Redis, queue: str, number: str, dispatch: int) -> None:
    message = json.loads(message_of(TASK))
    message["body"] = json.dumps([[[number], dispatch], {}, {}])
    name = f"again-{number}"
    message["headers"] |= {"id": name, "root_id": name}
    message["properties"] |= {"correlation_id": name, "delivery_tag": name}
    message["properties"]["delivery_info"]["routing_key"] = queue
    client.lpush(queue, json.dumps(message))
    client.pexpire(queue, 86_400_000)


def dropped_messages(stage: Stage, dice: random.Random) -> None:
    """The broker's lists are deleted while the processes that read them stand still."""
    processes = [psutil.Process(running.process.pid) for running in chain(stage.workers, stage.senders)]
    for process in processes:
        process.suspend()
    try:
        time.sleep(dice.uniform(0.3, 0.8))  # how much is lost is what is drawn
        for queue in stage.client.scan_iter(f"{keys.PREFIX}queue:*"):
            stage.client.delete(queue)
    finally:
        for process in processes:
            process.resume()
