"""What the pages show is typed as it stands there, page by page, against a running service."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from tests.fakes.pages import PAGES, blocks_of
from tests.fakes.reader import Reader
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.up import Up
from tests.fakes.waiting import wait_until

SANDBOX = r"Sandbox: no language model\..*"
TYPED = [page for page in PAGES if any(block.how != "not" for block in blocks_of(page, "sh", "python"))]
PRINTED = {
    "README.md": (SANDBOX,),
    "docs/quickstart.md": (rf"{SANDBOX}Medium 1 \(video.*",),
    "docs/sdk.md": (SANDBOX, f"completed {SANDBOX}", f"{SANDBOX}hello.*", r"job_[0-9a-f]{32} .*"),
    "docs/batches.md": (
        r"completed 3 of 3\nfilm-1 Sandbox: .*film 1.*\nfilm-2 Sandbox: .*film 2.*\nfilm-3 Sandbox: .*film 3.*",
        "",
    ),
    "docs/guides/video-analysis.md": (rf"completed {SANDBOX}Medium 1 \(video.*\n\d+ tokens",),
    "docs/guides/batches.md": ("", r"film-0 \d+\nfilm-1 \d+"),
    "docs/guides/from-celery.md": ("True",),
    "docs/guides/vllm.md": (SANDBOX,),
    "docs/guides/webhooks.md": ("", r"(.*\n)*response\.completed resp_[0-9a-f]{32}(.*\n)*.*"),
}
"""What each Python program of a page prints, those that are not run left out."""

CALLED = """
import json
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook

now = datetime.now(UTC)
data = {"id": next(iter(client.batches.list())).id}
body = json.dumps({"object": "event", "id": "evt_1", "type": "batch.completed", "created_at": 1, "data": data})
signature = Webhook("whsec_…").sign("evt_1", now, body)
headers = {"webhook-id": "evt_1", "webhook-timestamp": f"{now:%s}", "webhook-signature": signature}
receive(body.encode(), headers)
"""
"""Hands the end of the latest batch to what a page defines as `receive`."""


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("up") / "data"
    up = Up(data=folder, arguments=("--workers", "1"), environ={"RESPOOL_WEBHOOK_ALLOW": "127.0.0.1"})
    try:
        yield up.start()
    finally:
        up.clean_up()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox() as base:
        yield base


@pytest.fixture
def reader(service: Up, sandbox: str, tmp_path: Path) -> Iterator[Reader]:
    found = Reader(service, folder=tmp_path, sandbox=sandbox)
    try:
        yield found
    finally:
        found.leave()


@pytest.mark.parametrize("page", TYPED)
def test_a_page_can_be_typed_as_it_stands(page: str, reader: Reader) -> None:
    blocks = [block for block in blocks_of(page, "sh", "python") if block.how != "not"]
    printed = [(block.language, reader.follow(block)) for block in blocks]
    programs = [text.strip() for language, text in printed if language == "python"]
    if page in PRINTED:
        assert len(programs) == len(PRINTED[page])
        for text, pattern in zip(programs, PRINTED[page], strict=True):
            assert re.fullmatch(pattern, text, re.DOTALL), text
    if any(block.how == "beside" for block in blocks):
        wait_until(lambda: reader.overhears("response.completed Sandbox: no language model."), seconds=30)


def shape(line: str) -> str:
    """The line without what is different each time."""
    return re.sub(r"\d+(\.\d+)?", "0", re.sub(r"[0-9a-f]{32}", "X", line)).strip()


def test_what_the_readme_shows_of_a_command_is_what_it_prints(reader: Reader) -> None:
    blocks = blocks_of("README.md")
    (typed, shown) = next(pair for pair in pairwise(blocks) if pair[1].language == "")
    printed = reader.follow(replace(typed, text=f"{{ {typed.text} }} 2>&1"))
    lines = [shape(line) for line in printed.splitlines()]
    for line in shown.text.splitlines():
        if " in_progress " in line:
            continue  # a quick job is not seen under way
        assert any(one.startswith(shape(line.removesuffix("…"))) for one in lines), (line, printed)


def test_the_program_that_is_told_of_the_end_of_a_batch_prints_its_results(reader: Reader) -> None:
    submitting, receiving = blocks_of("docs/batches.md", "python")
    reader.follow(submitting)
    printed = reader.follow(replace(receiving, text=receiving.text + CALLED))
    assert {json.loads(line)["custom_id"] for line in printed.strip().splitlines()} >= {"film-1", "film-2", "film-3"}


def test_each_program_that_prints_something_is_held_to_it() -> None:
    assert PRINTED.keys() <= set(TYPED)
    for page in TYPED:
        printing = [b for b in blocks_of(page, "python") if b.how == "run" and "\nprint(" in b.text]
        assert page in PRINTED or not printing, page
