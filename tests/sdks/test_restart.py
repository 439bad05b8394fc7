"""The SDKs' stream helper on a connection that lives through an attempt that is repeated."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.fakes.bench import FAILED, Bench, running_bench
from tests.fakes.processes import CLEAN, running_api
from tests.fakes.redis_server import running_redis
from tests.fakes.sdks import GENERATIONS, folders_of
from tests.fakes.small_answer import DONE_ITEM, ITEM, PLACE, STREAMED
from tests.integration.test_streams import create
from tests.unit.api.responses import finish, start
from tests.unit.api.streams import append

VOID = [
    {**STREAMED[0], "item": {**ITEM, "id": "msg_0"}},
    {**STREAMED[1], **PLACE, "item_id": "msg_0"},
    {**STREAMED[2], **PLACE, "item_id": "msg_0", "delta": "void"},
]
HELPER = """
import json, sys
from openai import OpenAI

client, told = OpenAI(base_url=sys.argv[1], api_key="known"), []
with client.responses.stream(response_id=sys.argv[2]) as stream:
    for event in stream:
        if event.type == "response.output_text.delta":
            told.append(event.snapshot)
            print(json.dumps(told), flush=True)
    print(stream.get_final_response().output_text)
"""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with running_redis(tmp_path) as server, redis.Redis(port=server.port) as client, running_bench(client) as made:
        yield made


def test_no_two_answers_are_mixed_and_the_last_one_is_had(bench: Bench, tmp_path: Path) -> None:
    port = bench.client.connection_pool.connection_kwargs["port"]
    settings = {"RESPOOL_REDIS_URL": f"redis://127.0.0.1:{port}/0", "RESPOOL_API_KEY": "known", "WEB_CONCURRENCY": "1"}
    with running_api(tmp_path, settings) as base:
        response_id = create(base)
        first = start(bench)
        append(bench, first, VOID)
        readers = [
            subprocess.Popen(
                [sys.executable, "-c", HELPER, f"{base}/v1", response_id],
                env=CLEAN | {"PYTHONPATH": ":".join(map(str, folders_of(generation)))},
                stdout=subprocess.PIPE,
                text=True,
            )
            for generation in GENERATIONS
        ]
        outputs = [reader.stdout for reader in readers if reader.stdout is not None]
        assert [json.loads(output.readline()) for output in outputs] == [["void"]] * len(GENERATIONS)
        bench.runs("w1").retry(first, FAILED, delay_seconds=0)
        second = start(bench)
        append(bench, second, STREAMED, whole=True)
        finish(bench, second, output=[DONE_ITEM])
        for reader, output in zip(readers, outputs, strict=True):
            with output:
                assert output.read().splitlines() == ['["void", "hi"]', "hi"]
            assert reader.wait(30) == 0
