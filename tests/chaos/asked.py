"""One thing that is asked for, and the body that asks for it."""

import json
from dataclasses import dataclass
from typing import Any

from jobs.record import number_of
from jobs.webhooks.secrets import new_secret
from tests.factories import MODEL

BATCH_LINES = 20
DRAWN = ("plain", "plain", "plain", "slow", "stream", "retry", "webhook", "webhook", "cancel", "once")
FAULTS = {
    "plain": "delay=0.1",
    "slow": "delay=1",
    "stream": "pace=0.02",
    "retry": "status=500;times=1",
    "webhook": "delay=0.05",
    "cancel": "delay=2",
    "once": "delay=0.3",
}
SECRET = new_secret()
OPTIONS: dict[str, dict[str, Any]] = {"once": {"on_unknown": "fail"}}
"""A job whose call must never be made again where nobody can know how the first went."""


@dataclass(slots=True, kw_only=True)
class Asked:
    """One thing that was asked for under one Idempotency-Key. `id` is None until a 202 (a batch: a 200) came;
    `cancelled` is the status in which the answer to a cancel showed it."""

    key: str
    kind: str
    id: str | None = None
    cancelled: str | None = None

    @property
    def number(self) -> str:
        number = number_of(self.id or "")
        assert number is not None
        return number

    def body(self, receiver: str) -> dict[str, Any]:
        """Of the job; `receiver` is where its webhook goes, if it has one."""
        request = {"model": MODEL, "input": "hello", "stream": self.kind == "stream"}
        request["metadata"] = {"sandbox": FAULTS[self.kind]}
        body = {"request": request, "max_attempts": 20, **OPTIONS.get(self.kind, {})}
        if self.kind == "webhook":
            body["webhook"] = {"url": f"{receiver}/in", "secret": SECRET}
        return body


def batch_file() -> bytes:
    """BATCH_LINES short lines."""
    body = {"model": MODEL, "input": "hello", "metadata": {"sandbox": "delay=0.1"}}
    body["respool"] = {"max_attempts": 20}
    lines = [
        {"custom_id": f"line {n}", "method": "POST", "url": "/v1/responses", "body": body}
        for n in range(1, BATCH_LINES + 1)
    ]
    return "".join(json.dumps(line) + "\n" for line in lines).encode()
