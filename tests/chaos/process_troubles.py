"""Processes that are killed, stopped and started again."""

import random
import signal

import psutil

from jobs import keys
from jobs.workers import LiveWorker
from tests.chaos.stage import Stage, kill_all
from tests.fakes.waiting import wait_until


def worker_kill(stage: Stage, dice: random.Random) -> None:
    """kill -9 of one that lives; another is started at once."""
    pid = _alive(stage, dice).pid
    place = next(n for n, worker in enumerate(stage.workers) if worker.process.pid == pid)
    stage.killed[pid] = stage.now()
    stage.workers[place].kill()
    stage.workers[place] = stage.start_worker()


def lone_worker_kill(stage: Stage, dice: random.Random) -> None:
    """The same, once all is well after the one before."""
    _wait_until_well(stage)
    worker_kill(stage, dice)


def _wait_until_well(stage: Stage) -> None:
    """Until all workers live, and what those before them held was taken up."""
    all_of_them = len(stage.workers)
    wait_until(lambda: len(stage.live()) == stage.client.zcard(keys.WORKERS) == all_of_them, seconds=90)


def _alive(stage: Stage, dice: random.Random) -> LiveWorker:
    """One of the workers, once half of them live."""
    wait_until(lambda: 2 * len(stage.live()) >= len(stage.workers), seconds=60)
    return dice.choice(stage.live())


def sender_kill(stage: Stage, dice: random.Random) -> None:
    place = dice.randrange(len(stage.senders))
    stage.senders[place].kill()
    stage.senders[place] = stage.start_sender()


def api_kill(stage: Stage, dice: random.Random) -> None:
    """One of the processes that serve, which is started again by its parent, or one time in four all of them."""
    assert stage.api is not None
    wait_until(stage.answers, seconds=60)
    serving = psutil.Process(stage.api.process.pid).children()
    if serving and dice.random() < 0.75:
        dice.choice(serving).kill()
        return
    kill_all(stage.api)
    stage.api = stage.start_api()


def stopped_worker(stage: Stage, dice: random.Random) -> None:
    """SIGSTOP for longer than its lease: its jobs are taken from it, and then it comes back."""
    _wait_until_well(stage)
    victim = _alive(stage, dice)
    process = psutil.Process(victim.pid)
    process.suspend()
    try:
        wait_until(lambda: victim.id not in {worker.id for worker in stage.live()}, seconds=60)
        wait_until(lambda: not stage.client.exists(keys.worker_jobs(victim.id)), seconds=60)
    finally:
        process.resume()


def restart(stage: Stage, dice: random.Random) -> None:
    """SIGTERM to one worker, once another has been started in its place."""
    _restart(stage, dice.randrange(len(stage.workers)))


def rolling_restart(stage: Stage, dice: random.Random) -> None:
    """SIGTERM to one worker after the other, each when the one before has been followed by another that lives."""
    for place in range(len(stage.workers)):
        pid = _restart(stage, place)
        wait_until(lambda pid=pid: pid in {worker.pid for worker in stage.live()}, seconds=60)


def _restart(stage: Stage, place: int) -> int:
    """The process id of the worker that follows."""
    worker, stage.workers[place] = stage.workers[place], stage.start_worker()
    worker.process.send_signal(signal.SIGTERM)
    worker.process.wait(timeout=60)
    return stage.workers[place].process.pid
