"""What older releases left in Redis, kept in tests/old_records: read from a server into lines, and written back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from jobs import keys

FOLDER = Path(__file__).parents[1] / "old_records"
RELEASES = tuple(sorted(path.stem for path in FOLDER.glob("*.ndjson")))


@dataclass(frozen=True, slots=True, kw_only=True)
class OldJob:
    """A job of that release: as it was asked for, and the number that it got."""

    name: str
    number: str
    project: str
    key: str
    body: dict[str, Any]

    @property
    def id(self) -> str:
        return f"job_{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRecords:
    """`keys` are the API keys by project, and `admin`; `jobs` are by name, which says where each of them was."""

    release: str
    keys: dict[str, str]
    jobs: dict[str, OldJob]


def lines_of(client: redis.Redis) -> Iterator[dict[str, Any]]:
    """Every key: its type, what it holds, and how many milliseconds it still has (-1: no end)."""
    for key in sorted(client.scan_iter(count=1000)):
        kind = client.type(key).decode()
        yield {"key": _text(key), "type": kind, "ms": client.pttl(key), "value": _READ[kind](client, key)}


def load(client: redis.Redis, release: str) -> OldRecords:
    """Fills the empty store with what the release left, as if it had been left just now."""
    about, *lines = [json.loads(line) for line in (FOLDER / f"{release}.ndjson").read_text().splitlines()]
    age_ms = (client.time()[0] - about["taken_at"]) * 1000
    with client.pipeline(transaction=False) as pipeline:
        for line in lines:
            key = _bytes(line["key"])
            _WRITE[line["type"]](pipeline, key, line["value"])
            if line["ms"] >= 0:
                pipeline.pexpire(key, line["ms"])
        pipeline.execute()
    ended = f"{keys.PREFIX}ended"
    for member, expires in client.zrange(ended, 0, -1, withscores=True):
        client.zadd(ended, {member: expires + age_ms})
    jobs = {name: _job(name, values) for name, values in about["jobs"].items()}
    return OldRecords(release=release, keys=about["keys"], jobs=jobs)


def _job(name: str, values: dict[str, Any]) -> OldJob:
    return OldJob(name=name, number=values.pop("id").removeprefix("job_"), **values)


def _text(value: bytes) -> str:
    return value.decode(errors="surrogateescape")


def _bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def _pairs(flat: dict[bytes, bytes]) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in flat.items()}


def _raw(flat: dict[str, str]) -> dict[bytes, bytes]:
    return {_bytes(name): _bytes(value) for name, value in flat.items()}


def _entries(client: redis.Redis, key: bytes) -> list[list[Any]]:
    return [[_text(entry), _pairs(fields)] for entry, fields in client.xrange(key)]


def _add_entries(client: Any, key: bytes, value: list[Any]) -> None:
    for entry, fields in value:
        client.xadd(key, _raw(fields), id=entry)


_READ: dict[str, Any] = {
    "string": lambda client, key: _text(client.get(key)),
    "hash": lambda client, key: _pairs(client.hgetall(key)),
    "list": lambda client, key: [_text(item) for item in client.lrange(key, 0, -1)],
    "set": lambda client, key: sorted(_text(item) for item in client.smembers(key)),
    "zset": lambda client, key: {_text(item): score for item, score in client.zrange(key, 0, -1, withscores=True)},
    "stream": _entries,
}
_WRITE: dict[str, Any] = {
    "string": lambda client, key, value: client.set(key, _bytes(value)),
    "hash": lambda client, key, value: client.hset(key, mapping=_raw(value)),
    "list": lambda client, key, value: client.rpush(key, *map(_bytes, value)),
    "set": lambda client, key, value: client.sadd(key, *map(_bytes, value)),
    "zset": lambda client, key, value: client.zadd(key, {_bytes(item): score for item, score in value.items()}),
    "stream": _add_entries,
}
