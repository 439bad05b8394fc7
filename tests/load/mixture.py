"""All that callers do with the service, at a steady rate: each piece is begun, followed to its end, and judged."""

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.record import new_number
from jobs.webhooks.secrets import new_secret
from tests.factories import MODEL
from tests.load.caller import Answer, Caller

SECRET = new_secret()
BATCH_LINES = 5
END_SECONDS = 180
"""A piece that has not come to its end by then is a surprise."""


class Wrong(Exception):
    """What was told is not what had to be."""


@dataclass(slots=True)
class Mixture:
    """`done` counts the pieces that ended as they had to, by what they were; `put_off` answers that told to come
    again."""

    port: int
    receiver: str
    done: Counter[str] = field(default_factory=Counter)
    surprises: Counter[str] = field(default_factory=Counter)
    put_off: Counter[str] = field(default_factory=Counter)

    async def go_on(self, *, a_second: float, seconds: float, seed: int) -> None:
        """Begins a piece so often, for so long, and waits for the ends of all."""
        dice, begun, tasks = random.Random(seed), time.monotonic(), set[asyncio.Task[None]]()
        ways = self._ways()
        for place in range(int(a_second * seconds)):
            await asyncio.sleep(max(0.0, begun + place / a_second - time.monotonic()))
            task = asyncio.create_task(self._one(dice.choice(list(ways)) if place >= len(ways) else list(ways)[place]))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        await asyncio.gather(*tasks)

    def _ways(self) -> Mapping[str, Callable[[Caller], Awaitable[None]]]:
        return {
            "plain": self._plain, "polled": self._polled, "streamed": self._streamed, "cancelled": self._cancelled,
            "with a webhook": self._with_webhook, "failing once": self._failing, "over a file": self._over_file,
            "batch": self._batch,
        }  # fmt: skip

    async def _one(self, way: str) -> None:
        caller = Caller(self.port)
        try:
            async with asyncio.timeout(END_SECONDS):
                await self._ways()[way](caller)
            self.done[way] += 1
        except (OSError, EOFError, ValueError, KeyError, Wrong) as error:
            self.surprises[f"{way}: {error!r}"] += 1
        finally:
            await caller.close()

    async def _plain(self, caller: Caller) -> None:
        await self._ends(caller, await self._submit(caller), "completed")

    async def _polled(self, caller: Caller) -> None:
        job = await self._submit(caller, fault="delay=0.3")
        while (await self._read(caller, f"/v1/jobs/{job}"))["status"] != "completed":
            await asyncio.sleep(0.1)

    async def _streamed(self, caller: Caller) -> None:
        body = {"model": MODEL, "input": "one two three", "stream": True, "metadata": {"sandbox": "pace=0.02"}}
        last = None
        async with caller.events("POST", "/v1/responses", body=body) as events:
            async for event in events:
                last = event["type"]
        if last != "response.completed":
            raise Wrong(last)

    async def _cancelled(self, caller: Caller) -> None:
        job = await self._submit(caller, fault="delay=20")
        await self._ask(caller, "POST", f"/v1/jobs/{job}/cancel")
        await self._ends(caller, job, "cancelled")

    async def _with_webhook(self, caller: Caller) -> None:
        webhook = {"url": f"{self.receiver}/in", "secret": SECRET}
        await self._ends(caller, await self._submit(caller, webhook=webhook), "completed")

    async def _failing(self, caller: Caller) -> None:
        await self._ends(caller, await self._submit(caller, fault="status=500;times=1"), "completed")

    async def _over_file(self, caller: Caller) -> None:
        file = await self._upload(caller, b"what it says " * 1000, purpose="user_data", name="a.txt")
        content = [{"type": "input_file", "file_id": file}, {"type": "input_text", "text": "hello"}]
        job = await self._submit(caller, asked=[{"role": "user", "content": content}])
        await self._ends(caller, job, "completed")
        await self._ask(caller, "DELETE", f"/v1/files/{file}")

    async def _batch(self, caller: Caller) -> None:
        """Its files are deleted once it has ended; its jobs go with its end, since they are not to be stored."""
        body = {"model": MODEL, "input": "hello", "store": False}
        line = {"method": "POST", "url": "/v1/responses", "body": body}
        lines = [json.dumps(line | {"custom_id": str(n)}) for n in range(BATCH_LINES)]
        file = await self._upload(caller, "\n".join(lines).encode(), purpose="batch", name="in.jsonl")
        wanted = {"input_file_id": file, "endpoint": "/v1/responses", "completion_window": "24h"}
        batch = (await self._ask(caller, "POST", "/v1/batches", body=wanted)).json()
        while batch["status"] in ("validating", "in_progress", "finalizing"):
            await asyncio.sleep(0.2)
            batch = await self._read(caller, f"/v1/batches/{batch['id']}")
        output = (await self._ask(caller, "GET", f"/v1/files/{batch['output_file_id']}/content")).body
        if (batch["status"], output.count(b"\n")) != ("completed", BATCH_LINES):
            raise Wrong(batch)
        for each in (file, batch["output_file_id"]):
            await self._ask(caller, "DELETE", f"/v1/files/{each}")

    async def _submit(self, caller: Caller, *, fault: str = "", asked: Any = "hello", **more: Any) -> str:
        request = {"model": MODEL, "input": asked} | ({"metadata": {"sandbox": fault}} if fault else {})
        key = {"Idempotency_Key": new_number()}
        return str((await self._ask(caller, "POST", "/v1/jobs", body={"request": request, **more}, **key)).json()["id"])

    async def _upload(self, caller: Caller, data: bytes, *, purpose: str, name: str) -> str:
        form = (
            f'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n{purpose}\r\n'
            f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        ).encode()
        kind = {"Content_Type": "multipart/form-data; boundary=b"}
        answer = await self._ask(caller, "POST", "/v1/files", body=form + data + b"\r\n--b--\r\n", **kind)
        return str(answer.json()["id"])

    async def _ends(self, caller: Caller, job: str, status: str) -> None:
        found = {"status": "queued"}
        while found["status"] in ("queued", "in_progress"):
            found = (await self._ask(caller, "GET", f"/v1/jobs/{job}", Prefer="wait=30")).json()
        if found["status"] != status:
            raise Wrong(f"{found['status']} instead of {status}")

    async def _read(self, caller: Caller, path: str) -> Any:
        return (await self._ask(caller, "GET", path)).json()

    async def _ask(self, caller: Caller, method: str, path: str, **how: Any) -> Answer:
        """The answer, asked for again as long as it is one that says when to. Raises Wrong for one that is not good."""
        while True:
            answer = await caller.ask(method, path, **how)
            if answer.status not in (429, 503) or "retry-after" not in answer.headers:
                break
            self.put_off[str(answer.status)] += 1
            await asyncio.sleep(float(answer.headers["retry-after"]))
        if not 200 <= answer.status < 300:
            raise Wrong(f"{answer.status} {answer.body[:300]!r}")
        return answer
