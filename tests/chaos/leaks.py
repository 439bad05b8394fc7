"""What is still held although nothing goes on any more."""

import redis

from jobs import keys
from jobs.projects import Projects


def leaks(client: redis.Redis) -> list[str]:
    """Keys that hold a slot, a place in a backlog or a worker's hold on a job, and projects with something held of
    their budget."""
    kinds = ("lane_slots", "project_slots", "backlog_jobs", "worker_jobs", "batch_running")
    found = [key.decode() for kind in kinds for key in client.scan_iter(f"{keys.PREFIX}{kind}:*")]
    found += [key for key in ("dispatched", "delayed") if client.exists(keys.PREFIX + key)]
    found += [f"held of {project.name}" for project in Projects(client).all() if project.held_tokens]
    queued = client.hget(keys.COUNTERS, "queued_bytes")
    return found + ([] if queued == b"0" else [f"{queued!r} bytes queued"])


def owed(client: redis.Redis) -> list[str]:
    """Keys of deliveries that wait, are under way, or hold a place."""
    kinds = ("origin_due", "origin_slots", "project_sending", "sender_deliveries", "project_deliveries:open")
    return [key.decode() for kind in kinds for key in client.scan_iter(f"{keys.PREFIX}{kind}:*")]


def nothing_is_left(client: redis.Redis) -> bool:
    return not leaks(client)


def nothing_is_owed(client: redis.Redis) -> bool:
    return not owed(client)
