"""All that the store holds, as a value: taken, put back, compared."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import redis

from jobs import keys

Contents = Mapping[str, Any]
"""By key without its prefix: a dict of a hash or a sorted set, a set, a tuple of a list, bytes."""

_TAKE = """
local found = {}
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  local held
  if kind == 'hash' then held = redis.call('HGETALL', key)
  elseif kind == 'zset' then held = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'set' then held = redis.call('SMEMBERS', key)
  elseif kind == 'list' then held = redis.call('LRANGE', key, 0, -1)
  elseif kind == 'string' then held = redis.call('GET', key) end
  table.insert(found, {string.sub(key, #ARGV[1] + 1), redis.call('DUMP', key), kind, held or ''})
end
return found
"""
_PUT = """
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. '*')) do redis.call('DEL', key) end
for i = 2, #ARGV, 2 do redis.call('RESTORE', ARGV[1] .. ARGV[i], 0, ARGV[i + 1]) end
"""
_UNSEEN = re.compile(r"metric_lanes|series:|lane_runs:|lane_starts:|events:|probe$|sweep$|asleep$|leader$|dispatcher$")
"""What is only counted, or only spares work: no step depends on it."""


@dataclass(frozen=True, slots=True)
class StoreState:
    """`dumps` restores it, `contents` tells what it is."""

    dumps: tuple[str | bytes, ...]
    contents: Contents


class StoreStates:
    """Takes and puts back; a Redis value that is met again is kept once."""

    def __init__(self, client: redis.Redis) -> None:
        self._take = client.register_script(_TAKE)
        self._put = client.register_script(_PUT)
        self._seen: dict[bytes, bytes] = {}

    def take(self) -> StoreState:
        dumps: list[str | bytes] = []
        contents = {}
        for key, dump, kind, held in self._take(args=[keys.PREFIX]):
            name = key.decode()
            if not _UNSEEN.search(name):
                dumps += (name, self._seen.setdefault(dump, dump))
                contents[name] = _read(kind, held)
        return StoreState(tuple(dumps), contents)

    def put(self, state: StoreState) -> None:
        self._put(args=[keys.PREFIX, *state.dumps])


def _read(kind: bytes, held: Any) -> Any:
    match kind:
        case b"hash":
            return {name.decode(): value.decode(errors="replace") for name, value in _pairs(held)}
        case b"zset":
            return {member.decode(): float(score) for member, score in _pairs(held)}
        case b"set":
            return frozenset(member.decode() for member in held)
        case b"list":
            return tuple(entry.decode() for entry in held)
        case _:
            return held


def _pairs(flat: list[bytes]) -> list[tuple[bytes, bytes]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


@cache
def released(message: str) -> tuple[tuple[str, ...], str]:
    """The job numbers of a Celery message, and the number of its dispatch."""
    numbers, dispatch = json.loads(json.loads(message)["body"])[0]
    return tuple(numbers), str(dispatch)


def essence(contents: Contents, handled: Iterable[str] = ()) -> Any:
    """What of it may decide about anything, in one form. Left out is what is only ever counted on the way, and would
    make two states of one; messages are what they carry, and dispatches, also those `handled` outside, are numbered
    anew, since they are only compared with one another.
    """
    places = {dispatch: place for place, dispatch in enumerate(sorted({*_dispatches(contents), *handled}, key=int))}
    found = []
    for name, held in sorted(contents.items()):
        match name.partition(":")[0]:
            case "metrics":
                continue
            case "counters":
                held = held.get("queued_bytes", "0")
            case "queue":
                held = [(numbers, places[dispatch]) for numbers, dispatch in map(released, held)]
            case "backlog_projects":
                held = sorted(held)
            case "backlog" | "lane":
                held = {field: value for field, value in held.items() if field not in ("service", "settled")}
            case "job" if "dispatch" in held:
                held = held | {"dispatch": places[held["dispatch"]]}
        found.append((name, _in_one_form(held)))
    return found, places


def _dispatches(contents: Contents) -> Iterator[str]:
    for name, held in contents.items():
        if name.startswith("job:") and "dispatch" in held:
            yield held["dispatch"]
        elif name.startswith("queue:"):
            yield from (dispatch for _, dispatch in map(released, held))


def _in_one_form(held: Any) -> Any:
    if isinstance(held, dict):
        return sorted(held.items())
    return sorted(held) if isinstance(held, frozenset) else held
