"""Valid things with as little said as a test needs."""

from typing import Any

from jobs.lanes import backlog_of
from jobs.new_job import NewJob
from jobs.record import new_number
from jobs.store import Sameness

MODEL = "doubao-seed-1-6-251015"


def new_job(**changes: Any) -> NewJob:
    """A job of the project `default` for MODEL."""
    model = changes.get("model", MODEL)
    values: dict[str, Any] = {
        "number": new_number(),
        "project": "default",
        "api_key": "key_test",
        "model": model,
        "backlog": backlog_of(model),
        "priority": 5,
        "body": b'{"model":"%s","input":"hello","stream":false}' % model.encode(),
        "echo": f'{{"model":"{model}"}}',
        "metadata": {},
        "tokens": 10,
        "nano": 0,
        "max_attempts": 3,
        "on_unknown": "retry",
        "queue_deadline_seconds": None,
        "run_timeout_seconds": 60.0,
        "retention_seconds": 3600.0,
    }
    return NewJob(**values | changes)


def unique() -> Sameness:
    """A submit that is like no other."""
    return Sameness(digest=new_number())
