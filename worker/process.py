"""One worker process: what it is made of."""

from __future__ import annotations

from collections.abc import Mapping

from jobs.accounts import accounts_of
from jobs.coalesce import Coalescer
from jobs.connection import connect
from jobs.lanes import Lanes
from jobs.limits import read_limits
from jobs.redis_safety import RedisSafety
from jobs.runs import Runs
from jobs.settings import Settings
from jobs.tracing import UNTRACED, Tracer
from jobs.workers import Workers
from worker.attempt import Attempts
from worker.background import Background
from worker.batches.work import open_batch_work
from worker.calls import Calls
from worker.crew import Crew
from worker.dispatcher import Dispatcher
from worker.endpoints import open_endpoints
from worker.file_work import open_file_work
from worker.heartbeat import Heartbeat
from worker.log_pump import LogPump
from worker.loops import Loop
from worker.orphans import Orphanage
from worker.queue_process import WRITE_SECONDS, Parts, QueueProcess, new_id
from worker.results import Results
from worker.sweeper import Sweeper


class Process(QueueProcess):
    """It runs jobs."""

    def __init__(self, settings: Settings, environ: Mapping[str, str], *, tracer: Tracer = UNTRACED) -> None:
        """`environ` holds the keys of the accounts that the limits file names. Raises SettingsError."""
        own_id = new_id()
        redis = connect(settings.redis_url)
        writer = connect(settings.redis_url, answer_seconds=WRITE_SECONDS)
        self._workers = Workers(redis)
        calls = Calls()
        coalescer = Coalescer(writer)
        limits = read_limits(settings.limits_file)
        runs = Runs(coalescer, writer, worker=own_id)
        files = open_file_work(settings, redis)
        batches = open_batch_work(settings, limits, writer, worker=own_id)
        endpoints = open_endpoints(accounts_of(limits, settings, environ), settings, fill=files.fill, tracer=tracer)
        logs = LogPump(writer, worker=own_id)
        self._attempts = Attempts(
            runs=runs,
            endpoints=endpoints,
            background=Background(runs=runs, calls=calls),
            results=Results(runs=runs, prices=limits.prices),
            calls=calls,
            logs=logs,
            tracer=tracer,
        )
        crew = Crew(runs.claim, self._attempts.make, calls, slots=settings.slots)
        lanes = Lanes(redis, limits, connect_seconds=settings.connect_timeout_seconds)
        dispatcher = Dispatcher(lanes, redis, worker=own_id)
        beats = Heartbeat(self._workers, crew, Orphanage(endpoints=endpoints), worker=own_id)

        def close() -> None:
            dispatcher.close()
            batches.close()
            logs.close()

        parts = Parts(
            crew=crew,
            calls=calls,
            coalescer=coalescer,
            beats=Loop("heartbeat", beats.step),
            others=(
                Loop("dispatcher", dispatcher.step),
                Loop("sweeper", Sweeper(self._workers).step),
                *files.loops,
                *batches.loops,
            ),
            safety=RedisSafety(redis, unsafe=settings.unsafe_redis),
            closing=close,
        )
        super().__init__(own_id, parts, grace_seconds=settings.grace_seconds, log_level=settings.log_level)

    def leave(self) -> int:
        return self._workers.leave(self.id)
