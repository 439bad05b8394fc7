"""Callers of the real API, who keep what they were promised."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.chaos.asked import DRAWN, Asked, batch_file
from tests.chaos.stage import KEY

CALLERS = 3
REPEAT_SECONDS = 0.15
GIVE_UP_SECONDS = 60.0


@dataclass(slots=True, kw_only=True)
class Workload:
    """`answers` counts statuses, and `none` where no answer came; `surprises` are answers that nobody should get."""

    base: str
    receiver: str
    seed: int
    asked: list[Asked] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    surprises: list[str] = field(default_factory=list)
    ending: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, caller: int, *, pace_seconds: float) -> None:
        """Asks for one job after the other until the end is told, each until it is answered."""
        dice = random.Random(self.seed + caller)
        count = 0
        with requests.Session() as session:
            while not self.ending.is_set():
                count += 1
                kind = dice.choice(DRAWN)
                asked = self._remember(Asked(key=f"{self.seed}-{caller}-{count}", kind=kind))
                self._submit(session, asked)
                if kind == "cancel" and asked.id:
                    self._cancel(session, asked)
                self.ending.wait(dice.uniform(0, 2 * pace_seconds))

    def _remember(self, asked: Asked) -> Asked:
        with self.lock:
            self.asked.append(asked)
        return asked

    def _submit(self, session: requests.Session, asked: Asked) -> None:
        body = asked.body(self.receiver)
        answer = self.insist(session, "/v1/jobs", json=body, headers={"Idempotency-Key": asked.key})
        asked.id = answer["id"] if answer else None

    def _cancel(self, session: requests.Session, asked: Asked) -> None:
        answer = self.insist(session, f"/v1/jobs/{asked.id}/cancel")
        asked.cancelled = answer["status"] if answer else None

    def submit_batch(self, name: str) -> Asked:
        """Of BATCH_LINES short lines."""
        asked = self._remember(Asked(key=name, kind="batch"))
        with requests.Session() as session:
            file = self.insist(
                session, "/v1/files", files={"file": ("in.jsonl", batch_file())}, data={"purpose": "batch"}
            )
            wanted = {
                "input_file_id": file["id"] if file else "",
                "endpoint": "/v1/responses",
                "completion_window": "24h",
            }
            answer = self.insist(session, "/v1/batches", json=wanted, headers={"Idempotency-Key": name})
        asked.id = answer["id"] if answer else None
        return asked

    def insist(
        self, session: requests.Session, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> dict[str, Any] | None:
        """The answer of a POST that is repeated until it is taken; None where it was not within a minute."""
        deadline = time.monotonic() + GIVE_UP_SECONDS
        while time.monotonic() < deadline:
            status, answer = self._post(session, path, headers=KEY | (headers or {}), **options)
            self.answers[status] += 1
            if answer is not None:
                return answer
            time.sleep(REPEAT_SECONDS)
        return None

    def _post(self, session: requests.Session, path: str, **options: Any) -> tuple[str, dict[str, Any] | None]:
        try:
            answer = session.post(self.base + path, timeout=6, **options)
        except requests.RequestException:
            return "none", None
        if not answer.ok and answer.status_code not in (429, 503):
            self.surprises.append(f"{answer.status_code} {path} {answer.text}")
        return str(answer.status_code), answer.json() if answer.ok else None


@contextmanager
def running_workload(
    base: str, receiver: str, *, seed: int, pace_seconds: float = 0.1, batches: int = 1
) -> Iterator[Workload]:
    """Callers that ask for jobs for as long as the block lasts, and for batches at its beginning; at its end,
    everything asked for was answered, or given up."""
    load = Workload(base=base, receiver=receiver, seed=seed)
    work: list[Callable[[], object]] = [
        *(lambda n=n: load.call(n, pace_seconds=pace_seconds) for n in range(CALLERS)),
        *(lambda n=n: load.submit_batch(f"{seed}-batch-{n}") for n in range(batches)),
    ]
    threads = [threading.Thread(target=one, daemon=True) for one in work]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.ending.set()
        for thread in threads:
            thread.join(GIVE_UP_SECONDS * 2)
