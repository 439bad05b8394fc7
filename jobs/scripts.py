"""The Lua scripts of jobs/lua: one state change each, run by their digest and loaded where the server lacks them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any

import redis

from jobs import keys
from jobs.errors import StoreUnavailable

Argument = str | bytes | int | float
"""What Redis takes as a word of a command."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    source: str
    digest: str


@cache
def script(name: str) -> Script:
    """The script `name`: its flags line, the parts that its second line names in their order, its body."""
    folder = resources.files("jobs") / "lua"
    flags, uses, body = (folder / f"{name}.lua").read_text(encoding="utf-8").split("\n", 2)
    named = uses.removeprefix("-- Parts: ").split()
    parts = [(folder / "parts" / f"{part}.lua").read_text(encoding="utf-8") for part in named]
    source = "\n".join([flags, *parts, body])
    return Script(source=source, digest=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One run of a script; the key prefix goes before `args` as ARGV[1]."""

    name: str
    keys: Sequence[str | bytes] = ()
    args: Sequence[Argument] = field(default=())

    def command(self) -> list[Argument]:
        return ["EVALSHA", script(self.name).digest, len(self.keys), *self.keys, keys.PREFIX, *self.args]

    def encoded(self) -> Call:
        """The same with every word as bytes.

        Raises UnicodeEncodeError for half of a surrogate pair, TypeError for what is no Argument.
        """
        return replace(self, keys=[_encoded(key) for key in self.keys], args=[_encoded(word) for word in self.args])


def _encoded(word: Argument) -> bytes:
    match word:
        case bytes():
            return word
        case str():
            return word.encode()
        case int() | float() if not isinstance(word, bool):
            return repr(word).encode()
        case _:
            raise TypeError(f"{type(word).__name__} is no word of a command")


def run(client: redis.Redis, call: Call) -> Any:
    """Runs one script and returns its answer.

    Raises StoreUnavailable if the server is away or takes no writes.
    """
    (answer,) = run_all(client, [call])
    if isinstance(answer, redis.RedisError):
        raise answer
    return answer


def run_all(client: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    """Runs scripts in one round trip and returns their answers; the error of one that failed stands in its place.

    Raises StoreUnavailable if the server is away or takes no writes; some may have run then, and all may be run again.
    """
    with translated():
        answers = _send(client, calls)
        absent = [i for i, answer in enumerate(answers) if isinstance(answer, redis.exceptions.NoScriptError)]
        if absent:
            for name in {calls[i].name for i in absent}:
                client.script_load(script(name).source)
            for i, answer in zip(absent, _send(client, [calls[i] for i in absent]), strict=True):
                answers[i] = answer
        for answer in answers:
            if isinstance(answer, redis.RedisError) and takes_no_writes(answer):
                raise answer
    return answers


def _send(client: redis.Redis, calls: Sequence[Call]) -> list[Any]:
    with client.pipeline(transaction=False) as pipeline:
        for call in calls:
            pipeline.execute_command(*call.command())
        return pipeline.execute(raise_on_error=False)


@contextmanager
def translated() -> Iterator[None]:
    """Turns redis-py's errors into StoreUnavailable, the cause kept."""
    try:
        yield
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise StoreUnavailable("Redis cannot be reached") from error
    except redis.ResponseError as error:
        if takes_no_writes(error):
            raise StoreUnavailable("Redis takes no writes at present") from error
        raise


def takes_no_writes(error: redis.RedisError) -> bool:
    """Whether the server's answer says that it lives but takes no writes now.

    redis-py cuts some codes off the text, and says before it which command of a pipeline it was.
    """
    text = str(error).rpartition("caused error: ")[2]
    return isinstance(error, _NO_WRITES) or text.startswith(("MISCONF", "NOREPLICAS", "BUSY "))


_NO_WRITES = (
    redis.exceptions.BusyLoadingError,
    redis.exceptions.ClusterDownError,
    redis.exceptions.MasterDownError,
    redis.exceptions.OutOfMemoryError,
    redis.exceptions.ReadOnlyError,
)
