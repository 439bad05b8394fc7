"""Each answer that a page shows has the fields of a real one: all of them, or `…` for the others."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.fakes.pages import Block, blocks_of
from tests.fakes.up import MODEL, Up
from tests.fakes.waiting import wait_until

PAGES = ("docs/quickstart.md", "docs/http-api.md")
SHOWN = [block for page in PAGES for block in blocks_of(page, "json")]
REST = "…"
REQUEST = {"model": MODEL, "input": "hello"}
RECEIVER = {"url": "https://hooks.example.com/respool"}


class Seen:
    """What a service tells where one job has ended, its delivery failed, and another waits in a paused lane."""

    def __init__(self, service: Up) -> None:
        self.service = service
        self._ended = self._submit()
        service.ending(self._ended)
        wait_until(lambda: self.delivery()["attempts"] != [], seconds=30)
        paused = service.run("lanes", "pause", f"default:{MODEL}", "--seconds", "300")
        assert paused.returncode == 0, paused.stderr
        self._waiting = self._submit()
        wait_until(lambda: self.queued()["eta"] is not None, seconds=30)

    def get(self, path: str) -> Any:
        return self.service.ask("GET", path).json()

    def post(self, path: str, body: Any) -> Any:
        return self.service.ask("POST", path, json=body).json()

    def completed(self) -> Any:
        return self.get(f"/v1/jobs/{self._ended}")

    def queued(self) -> Any:
        return self.get(f"/v1/jobs/{self._waiting}")

    def respool(self) -> Any:
        return self.get(self._waiting.replace("job_", "/v1/responses/resp_"))["respool"]

    def delivery(self) -> Any:
        return self.get(f"/v1/jobs/{self._ended}/deliveries")["data"][0]

    def endpoint(self) -> Any:
        self.post("/v1/webhook_endpoints", RECEIVER | {"events": ["response.failed"]})
        return self.get("/v1/webhook_endpoints")["data"][0]

    def _submit(self) -> str:
        body = {"request": REQUEST, "metadata": {"customer": "42"}, "webhook": RECEIVER}
        return str(self.post("/v1/jobs", body)["id"])


ANSWERS: dict[str, Callable[[Seen], Any]] = {
    "refused_by": lambda seen: seen.post("/v1/jobs?dry_run=true", {"request": REQUEST}),
    "errors": lambda seen: seen.post("/v1/jobs", {"request": REQUEST | {"top_p": 2, "temperature": 9}}),
    "step": lambda seen: seen.get("/v1/series?step=hour") | {"data": seen.get("/v1/series?step=hour")["data"][-1:]},
    "cursor": lambda seen: seen.get("/v1/events"),
    "day": lambda seen: seen.get("/v1/usage")["data"][0],
    "job": Seen.completed,
    "job_id": Seen.respool,
    "lane": lambda seen: seen.get(f"/v1/lanes/default:{MODEL}"),
    "project": lambda seen: seen.get("/v1/projects/default"),
    "event": lambda seen: seen.get("/v1/events")["data"][0],
    "webhook_endpoint": Seen.endpoint,
    "webhook_delivery": Seen.delivery,
    "waiting_reason": Seen.queued,
}
"""Where the same comes from: by the `object` of what is shown, else by the first of these fields that it has."""


def differences(shown: Any, real: Any, path: str = "") -> list[str]:
    """Which fields one of them has and the other lacks. Nothing is said of values, nor of what is null in one."""
    match shown, real:
        case dict(), dict():
            hidden = set() if REST in shown else real.keys() - shown.keys()
            invented = shown.keys() - real.keys() - {REST}
            here = [f"{path}.{name}" for name in hidden | invented]
            both = shown.keys() & real.keys()
            return here + [found for name in both for found in differences(shown[name], real[name], f"{path}.{name}")]
        case list(), [first, *_]:
            return [found for one in shown for found in differences(one, first, f"{path}[]")]
        case (dict(), _) | (list(), str() | None):
            return [path]
    return []


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield Seen(up.start())
    finally:
        up.clean_up()


@pytest.mark.parametrize("block", [block for block in SHOWN if '"request":' not in block.text], ids=str)
def test_an_answer_that_is_shown_has_the_fields_of_a_real_one(block: Block, seen: Seen) -> None:
    shown = json.loads(block.text)
    (kind, *_) = [kind for kind in ANSWERS if kind == shown.get("object")] + [kind for kind in ANSWERS if kind in shown]
    assert differences(shown, ANSWERS[kind](seen)) == []


def test_a_webhook_that_is_shown_has_the_fields_of_a_real_event(seen: Seen) -> None:
    (block,) = blocks_of("docs/webhooks.md", "http")
    head, _, body = block.text.partition("\n\n")
    assert json.loads(body)["id"] in head
    assert differences(json.loads(body), seen.get("/v1/events")["data"][0]) == []


@pytest.mark.parametrize("block", [block for block in SHOWN if '"request":' in block.text], ids=str)
def test_a_body_that_is_shown_is_taken(block: Block, seen: Seen) -> None:
    shown = json.loads(block.text)
    if REST in shown["request"]:
        shown["request"] = REQUEST
    answer = seen.service.ask("POST", "/v1/jobs", json=shown)
    assert answer.status_code == 202, answer.text
