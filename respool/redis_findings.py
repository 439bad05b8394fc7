"""What `doctor` sees of Redis itself: its version, how it keeps jobs, its memory, its clock, and who works."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import redis

from jobs.errors import StoreUnavailable
from jobs.persistence import Persistence
from jobs.projects import Projects
from jobs.settings import Durability
from jobs.webhooks.secrets import ProjectSecrets
from jobs.webhooks.senders import LiveSender, Senders
from jobs.workers import LiveWorker, Workers
from respool.findings import Finding, broken, clock, doubtful, fine

LEAST_VERSION = (7, 0)
FSYNC_VERSION = (7, 2)
FULL = 0.9
"""Of maxmemory."""

Info = Mapping[str, Any]


def of_redis(client: redis.Redis, *, durability: Durability, secrets: ProjectSecrets) -> Iterator[Finding]:
    """`secrets` are those of the service."""
    try:
        begun = time.time()
        seconds, microseconds = client.time()
        skew = seconds + microseconds / 1_000_000 - (begun + time.time()) / 2
        info: Info = client.info()
    except (redis.AuthenticationError, redis.ResponseError) as error:
        yield broken("redis", f"refuses: {error}", "give the right user and password in RESPOOL_REDIS_URL")
        return
    except redis.RedisError as error:
        yield broken("redis", f"does not answer ({error})", "start it, or correct RESPOOL_REDIS_URL")
        return
    yield from of_server(info, durability=durability)
    yield clock("redis clock", skew)
    try:
        yield from of_crew(Workers(client).live(), Senders(client).live())
        yield from _signing(client, secrets)
    except StoreUnavailable as error:
        yield broken("workers", f"cannot be seen ({error})", "see Redis")


def _signing(client: redis.Redis, secrets: ProjectSecrets) -> Iterator[Finding]:
    projects = [project.name for project in Projects(client).all()]
    shut = secrets.unreadable(projects)
    if shut:
        told = f"those of {', '.join(shut)} were sealed with another RESPOOL_SECRET: nothing is signed with them"
        advice = "set it back everywhere, or make new ones: respool keys webhook-secret --project NAME"
        yield broken("signing secrets", told, advice)
    else:
        yield fine("signing secrets", "can be read")


def of_server(info: Info, *, durability: Durability) -> Iterator[Finding]:
    """What INFO tells; hosted servers leave some of it out."""
    yield _version(info, durability)
    if info.get("role") == "slave":
        yield broken("redis role", "this is a replica", "name the master, or the sentinels, in RESPOOL_REDIS_URL")
    if info.get("cluster_enabled"):
        yield broken("redis role", "this is a cluster, which is not supported", "use one instance, or Sentinel")
    if durability == "replica" and not info.get("connected_slaves"):
        yield broken("replicas", "none, though RESPOOL_DURABILITY is replica", "attach one, or change the setting")
    yield from _persistence(info)
    yield from _memory(info)


def _version(info: Info, durability: Durability) -> Finding:
    text = str(info.get("redis_version", ""))
    found = tuple(int(number) for number in re.findall(r"\d+", text)[:2])
    name = f"Valkey {info['valkey_version']}" if "valkey_version" in info else f"Redis {text or 'of unknown version'}"
    if found and found < LEAST_VERSION:
        return broken("redis version", name, "respool needs Redis 7.0 or newer, or Valkey")
    if found and found < FSYNC_VERSION and durability == "fsync":
        return broken("redis version", name, "RESPOOL_DURABILITY=fsync needs Redis 7.2 or newer")
    return fine("redis version", name)


def _persistence(info: Info) -> Iterator[Finding]:
    if "aof_enabled" not in info:
        yield doubtful("persistence", "the server does not say", "see that it runs with appendonly yes")
        return
    if not info["aof_enabled"]:
        yield broken(
            "persistence",
            "the append-only file is off: a restart of Redis loses accepted jobs",
            "CONFIG SET appendonly yes, and set it in the server's configuration",
        )
        return
    failing = [name for name in ("aof_last_write_status", "aof_last_bgrewrite_status") if info.get(name, "ok") != "ok"]
    if failing:
        yield broken(
            "persistence", f"{failing[0]} is {info[failing[0]]}", "see the server's log and the room on its disk"
        )
    else:
        yield fine("persistence", "the append-only file is on")


def _memory(info: Info) -> Iterator[Finding]:
    policy, most, taken = info.get("maxmemory_policy"), info.get("maxmemory") or 0, info.get("used_memory") or 0
    if policy is not None and policy != "noeviction":
        yield broken(
            "maxmemory policy",
            f"{policy}: Redis may throw accepted jobs away",
            "CONFIG SET maxmemory-policy noeviction, and set it in the server's configuration",
        )
    elif policy is not None:
        yield fine("maxmemory policy", policy)
    if most and taken / most >= FULL:
        yield doubtful(
            "memory",
            f"{taken / most:.0%} of maxmemory is taken; submits are refused when it is full",
            "raise maxmemory, or lower RESPOOL_RETENTION_SECONDS or RESPOOL_MAX_QUEUED_BYTES",
        )


def of_crew(workers: Sequence[LiveWorker], senders: Sequence[LiveSender]) -> Iterator[Finding]:
    slots, jobs = sum(worker.slots for worker in workers), sum(worker.jobs for worker in workers)
    yield of_workers(live=len(workers), slots=slots, jobs=jobs)
    if senders:
        yield fine("senders", f"{len(senders)} live")
    else:
        yield of_no_sender()
    processes: list[LiveWorker | LiveSender] = [*workers, *senders]
    for one in processes:
        if one.stalled:
            kind = "worker" if isinstance(one, LiveWorker) else "sender"
            yield of_stalled(f"{kind} {one.id}", host=one.host, pid=one.pid)


def of_no_sender() -> Finding:
    return doubtful("senders", "none: webhooks wait", "start one (the third line of the Procfile)")


def of_stalled(subject: str, *, host: str, pid: int) -> Finding:
    told = f"lives, but takes up nothing of what is handed to it (process {pid} on {host})"
    return broken(subject, told, "see its log, then end it and start another")


def of_workers(*, live: int, slots: int, jobs: int) -> Finding:
    if not live:
        return broken(
            "workers", "none: jobs stay queued", "start some (the second line of the Procfile), and see their logs"
        )
    told = f"{live} live, {jobs} of {slots} slots taken"
    if jobs >= slots:
        return doubtful("workers", told, "start more, or raise RESPOOL_SLOTS")
    return fine("workers", told)


def of_keeping(kept: Mapping[str, Any] | None) -> Finding:
    """What /readyz tells of Redis, for whoever cannot reach it."""
    if kept is None:
        return doubtful("persistence", "the server does not say", "see that it runs with appendonly yes")
    try:
        faults = Persistence(**kept).faults
    except TypeError:
        return doubtful("persistence", "told in a way that is not known here", "use the same release on both sides")
    if faults:
        return broken("persistence", "; ".join(faults), "see docs/operations.md, Redis")
    return fine("persistence", "the append-only file is on, and nothing is evicted")
