"""Whether what was written is as safe as was asked for."""

from __future__ import annotations

from typing import assert_never

import redis

from jobs import keys
from jobs.settings import Durability

DURABLE_MILLISECONDS = 1200


def confirmed(client: redis.Redis, durability: Durability) -> bool:
    """Whether all that was written so far is as durable as asked for; a server that cannot tell has not confirmed."""
    match durability:
        case "everysec":
            return True
        case "fsync":
            answer = _wait(client, "WAITAOF", 1, 0, DURABLE_MILLISECONDS)
            return isinstance(answer, list) and answer[0] >= 1
        case "replica":
            answer = _wait(client, "WAIT", 1, DURABLE_MILLISECONDS)
            return isinstance(answer, int) and answer >= 1
        case other:
            assert_never(other)


def _wait(client: redis.Redis, *command: str | int) -> object:
    """The command's answer or error. It waits for what its own connection wrote last, so that writes first: what other
    connections wrote before is then as durable, the job of a repeated submit too."""
    with client.pipeline(transaction=False) as pipeline:
        pipeline.set(keys.PROBE, "1", px=1000)
        pipeline.execute_command(*command)
        answer: object = pipeline.execute(raise_on_error=False)[1]
    return answer
