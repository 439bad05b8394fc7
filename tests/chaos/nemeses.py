"""What goes wrong: each does one thing to a stage, draws by lot how, and heals it."""

import json
import random
import resource
import signal
import time
from collections.abc import Callable
from itertools import chain

import psutil
import redis

from jobs import keys
from jobs.lanes import TASK
from jobs.messages import message_of
from jobs.record import Stage as JobStage
from jobs.workers import LiveWorker
from tests.chaos.stage import FAKETIME, Stage, kill_all
from tests.fakes.fault_proxy import FaultProxy, Trouble
from tests.fakes.waiting import wait_until

Nemesis = Callable[[Stage, random.Random], None]


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


def redis_kill(stage: Stage, dice: random.Random) -> None:
    """It is away for up to a second, and reads its file again."""
    stage.redis.kill()
    time.sleep(dice.uniform(0, 1))  # how long it is away is what is drawn
    stage.redis.start()


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


def reset(stage: Stage, dice: random.Random) -> None:
    """All connections between two parts."""
    _drawn(stage, dice).reset()


def black_hole(stage: Stage, dice: random.Random) -> None:
    """Between two parts, in one direction or both; longer than a command to Redis is waited for."""
    hole = Trouble(black_hole=True)
    up, down = dice.choice([(True, False), (False, True), (True, True)])
    proxy = _drawn(stage, dice)
    proxy.trouble(**({"up": hole} if up else {}), **({"down": hole} if down else {}))
    time.sleep(dice.uniform(1, 3))  # how long it lasts is what is drawn
    proxy.heal()


def slow_link(stage: Stage, dice: random.Random) -> None:
    """Latency with jitter, or little bandwidth."""
    slow = dice.choice([Trouble(delay_seconds=0.05, jitter_seconds=0.1), Trouble(bytes_per_second=50_000)])
    proxy = _drawn(stage, dice)
    proxy.trouble(up=slow, down=slow)
    time.sleep(dice.uniform(0.5, 2))  # how long it lasts is what is drawn
    proxy.heal()


def cut(stage: Stage, dice: random.Random) -> None:
    """Connections end in the middle of what is said."""
    proxy = _drawn(stage, dice)
    proxy.trouble(**{dice.choice(["up", "down"]): Trouble(cut_after_bytes=dice.randrange(1, 3000))})
    time.sleep(dice.uniform(0.2, 1))  # how long it lasts is what is drawn
    proxy.heal()


def _drawn(stage: Stage, dice: random.Random) -> FaultProxy:
    return stage.between[dice.choice(sorted(stage.between))]


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


def no_memory(stage: Stage, dice: random.Random) -> None:
    """Redis answers OOM to whatever needs memory."""
    stage.client.config_set("maxmemory", "1mb")
    time.sleep(dice.uniform(0.5, 2))  # how long it lasts is what is drawn
    stage.client.config_set("maxmemory", "0")


def full_disk(stage: Stage, dice: random.Random) -> None:
    """The append-only file may not grow any more: RLIMIT_FSIZE, which a process may set without being root."""
    assert stage.redis.process is not None
    pid = stage.redis.process.pid
    size = max(file.stat().st_size for file in (stage.redis.folder / "appendonlydir").iterdir())
    free = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (size + dice.randrange(5000), resource.RLIM_INFINITY))
    try:
        wait_until(lambda: not _takes_writes(stage.client))
        time.sleep(dice.uniform(0, 1))  # how long it lasts is what is drawn
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, free)
    wait_until(lambda: _takes_writes(stage.client))


def _takes_writes(client: redis.Redis) -> bool:
    return client.info("persistence")["aof_last_write_status"] == "ok"


def jumping_clock(stage: Stage, dice: random.Random) -> None:
    """Redis' clock is set forward or back by more than a lease, and then right again. What fell due in a future
    that did not come waits for it."""
    if not FAKETIME.exists():
        return
    jump = dice.choice([-20, -10, 10, 20])
    for offset in (jump, 0):
        before = stage.now() - time.time()
        stage.clock_file.write_text(f"{offset:+d}\n")
        wait_until(lambda before=before: abs(stage.now() - time.time() - before) > abs(jump) / 2)
        time.sleep(dice.uniform(0.5, 1.5))  # how long it lasts is what is drawn


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


ALL: tuple[Nemesis, ...] = (
    *(worker_kill, api_kill, sender_kill, redis_kill, restart, stopped_worker, reset, black_hole, slow_link, cut),
    *(doubled_messages, dropped_messages, no_memory, full_disk, jumping_clock),
)
