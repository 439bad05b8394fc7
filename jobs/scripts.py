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
MOST_TOGETHER = 32
"""Calls of one script that run as one: nothing else runs in Redis meanwhile, for some milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    source: str
    digest: str


@cache
def script(name: str) -> Script:
    """The script `name`: its flags line, the parts that its second line names in their order, its body as the function
    `call`, and what runs that for each call that came (parts/calls.lua).
    """
    folder = resources.files("jobs") / "lua"
    flags, uses, body = (folder / f"{name}.lua").read_text(encoding="utf-8").split("\n", 2)
    named = [*uses.removeprefix("-- Parts: ").split(), "calls"]
    *parts, calls = [(folder / "parts" / f"{part}.lua").read_text(encoding="utf-8") for part in named]
    source = "\n".join([flags, *parts, "local function call(KEYS, ARGV)", body, "end", calls])
    return Script(source=source, digest=hashlib.sha1(source.encode(), usedforsecurity=False).hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of a script; the key prefix goes before `args` as ARGV[1]."""

    name: str
    keys: Sequence[str | bytes] = ()
    args: Sequence[Argument] = field(default=())

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
    """Makes calls in one round trip and returns their answers; the error of one that failed stands in its place.

    Those of one script run in their order, those of different ones in any.

    Raises StoreUnavailable if the server is away or takes no writes; some may have run then, and all may be run again.
    """
    runs = _together(calls)
    answers: dict[int, Any] = {}
    with translated():
        absent = _send(client, runs, answers)
        if absent:
            for name in {run.name for run in absent}:
                client.script_load(script(name).source)
            _send(client, absent, answers)
        for answer in answers.values():
            if isinstance(answer, redis.RedisError) and takes_no_writes(answer):
                raise answer
    return [answers[place] for place in range(len(calls))]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Calls of one script that are one command, each with its place among all."""

    name: str
    calls: list[tuple[int, Call]] = field(default_factory=list)

    def command(self) -> list[Argument]:
        words: list[Argument] = ["EVALSHA", script(self.name).digest, sum(len(call.keys) for _, call in self.calls)]
        for _, call in self.calls:
            words += call.keys
        words += (keys.PREFIX, len(self.calls))
        for _, call in self.calls:
            words += (len(call.keys), len(call.args), *call.args)
        return words


def _together(calls: Sequence[Call]) -> list[_Run]:
    runs: list[_Run] = []
    open_runs: dict[str, _Run] = {}
    for place, call in enumerate(calls):
        run = open_runs.get(call.name)
        if run is None or len(run.calls) == MOST_TOGETHER:
            run = open_runs[call.name] = _Run(name=call.name)
            runs.append(run)
        run.calls.append((place, call))
    return runs


def _send(client: redis.Redis, runs: Sequence[_Run], answers: dict[int, Any]) -> list[_Run]:
    """Puts the answers to their calls' places, and returns the runs whose script the server lacks."""
    with client.pipeline(transaction=False) as pipeline:
        for run in runs:
            pipeline.execute_command(*run.command())
        came = pipeline.execute(raise_on_error=False)
    for run, answer in zip(runs, came, strict=True):
        of_each = [answer] * len(run.calls) if isinstance(answer, redis.RedisError) else answer
        answers.update({place: one for (place, _), one in zip(run.calls, of_each, strict=True)})
    return [run for run, answer in zip(runs, came, strict=True) if isinstance(answer, redis.exceptions.NoScriptError)]


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
