"""Very many who wait for the same jobs at once: by polls, by held answers, by streams."""

import asyncio
import hashlib
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.factories import MODEL
from tests.load.caller import Caller

WAIT_SECONDS = 60
KINDS = ("stream", "stream", "wait", "wait", "poll")
PACE_SECONDS = 20
"""Between two events of a stream."""
AT_THE_DOOR = 100
"""How many come at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """When a reader heard of the end, and the digest of what it was told of the answer."""

    job: str
    kind: str
    at: float
    digest: str


class _Once:
    """Does something when it is called for the first time."""

    def __init__(self, done: Callable[[], None]) -> None:
        self._done: Callable[[], None] | None = done

    def __call__(self) -> None:
        done, self._done = self._done, None
        if done is not None:
            done()


@dataclass(slots=True, kw_only=True)
class Crowd:
    """`surprises` are answers that nobody should get, and connections that broke; `polls` are how many seconds each
    took.
    """

    port: int
    jobs: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    polls: list[float] = field(default_factory=list)
    surprises: Counter[str] = field(default_factory=Counter)
    poll_seconds: float = 9.0
    _reading: list[asyncio.Task[None]] = field(default_factory=list)
    _door: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_THE_DOOR))

    async def submit(self, count: int) -> None:
        """Jobs that run until they are cancelled: of every second one an event comes now and again."""
        caller = Caller(self.port)
        for place in range(count):
            streams = place % 2 == 0
            request = {"model": MODEL, "input": "hello", "stream": streams}
            request |= {"metadata": {"sandbox": f"pace={PACE_SECONDS}" if streams else "hang"}}
            answer = await caller.ask("POST", "/v1/jobs", body={"request": request})
            assert answer.status == 202, answer.body
            self.jobs.append(answer.json()["id"])
        await caller.close()

    async def come(self, count: int) -> None:
        """So many readers, some at a time: another comes when one of them has been told how its job does."""
        for place in range(count):
            await self._door.acquire()
            self._reading.append(asyncio.create_task(self._one(place)))
        for _ in range(AT_THE_DOOR):
            await self._door.acquire()

    async def end(self) -> None:
        """Cancels the jobs, and waits until all readers have left."""
        caller = Caller(self.port)
        for job in self.jobs:
            answer = await caller.ask("POST", f"/v1/jobs/{job}/cancel")
            assert answer.status == 200, answer.body
        await caller.close()
        await asyncio.gather(*self._reading)

    async def _one(self, place: int) -> None:
        kind = KINDS[place % len(KINDS)]
        job = self.jobs[(place // len(KINDS)) % len(self.jobs)]
        ways = {"stream": self._stream, "wait": self._wait, "poll": self._poll}
        caller, entered = Caller(self.port), _Once(self._door.release)
        try:
            response = await ways[kind](caller, job, entered)
            digest = hashlib.sha256(repr(response).encode()).hexdigest()
            self.told.append(Told(job=job, kind=kind, at=time.time(), digest=digest))
        except (OSError, EOFError, ValueError, KeyError) as error:
            self.surprises[f"{kind}: {error!r}"] += 1
        finally:
            entered()
            await caller.close()

    async def _stream(self, caller: Caller, job: str, entered: Callable[[], None]) -> Any:
        """The Response of the last event; the numbers of all must grow."""
        last, number = None, -1
        async with caller.events("GET", f"/v1/responses/resp_{job[4:]}?stream=true") as events:
            async for event in events:
                entered()
                if event["sequence_number"] <= number:
                    raise ValueError(f"{event['sequence_number']} after {number}")
                last, number = event, event["sequence_number"]
        if last is None or last["type"] != "response.cancelled":
            raise ValueError(f"ended with {last and last['type']}")
        return {name: value for name, value in last["response"].items() if name != "respool"}

    async def _wait(self, caller: Caller, job: str, entered: Callable[[], None]) -> Any:
        response = await self._ended(caller, job)
        entered()
        while response is None:
            response = await self._ended(caller, job, Prefer=f"wait={WAIT_SECONDS}")
        return response

    async def _poll(self, caller: Caller, job: str, entered: Callable[[], None]) -> Any:
        while True:
            begun = time.monotonic()
            response = await self._ended(caller, job)
            self.polls.append(time.monotonic() - begun)
            entered()
            if response is not None:
                return response
            await asyncio.sleep(self.poll_seconds)

    async def _ended(self, caller: Caller, job: str, **headers: str) -> Any:
        """The Response of the job, or None as long as it has not ended."""
        answer = await caller.ask("GET", f"/v1/jobs/{job}", **headers)
        document = answer.json()
        if answer.status != 200 or document["status"] not in ("queued", "in_progress", "cancelled"):
            raise ValueError(f"{answer.status} {document.get('status')}")
        return document["response"] if document["status"] == "cancelled" else None

    def disagreements(self) -> list[str]:
        """Jobs of which not all readers were told the same."""
        digests = defaultdict(set)
        for told in self.told:
            digests[told.job].add(told.digest)
        return [job for job, found in digests.items() if len(found) > 1]
