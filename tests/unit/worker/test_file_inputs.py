import base64
import json
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import redis
import requests

from jobs.file_folder import FileFolder
from jobs.file_links import FileLinks
from jobs.files import Files
from tests.factories import MODEL
from tests.fakes.bench import Bench
from tests.fakes.files import put, store_at
from tests.fakes.raw_server import http_answer, raw_server
from tests.unit.worker.conftest import Shop, attempts_at, open_shop
from worker.calls import Call, Calls
from worker.errors import FileGone, FilesAway
from worker.file_inputs import FileInputs
from worker.responses_client import ResponsesClient

MIB = 1024 * 1024
DONE = b'{"id": "r1", "status": "completed", "output": []}'


@pytest.fixture
def files(store_client: redis.Redis, tmp_path: Path) -> Files:
    return store_at(tmp_path / "files", store_client)


@pytest.fixture
def inputs(files: Files) -> FileInputs:
    return FileInputs(files=files)


def naming(file_id: str, *, kind: str = "input_video") -> bytes:
    part = {"type": kind, "file_id": file_id}
    return json.dumps({"model": MODEL, "input": [{"role": "user", "content": [part]}], "stream": False}).encode()


def part_of(body: Any) -> Any:
    data = body if isinstance(body, bytes) else b"".join(body)
    return json.loads(data)["input"][0]["content"][0]


def filling(client: ResponsesClient, inputs: FileInputs) -> ResponsesClient:
    client._fill = inputs.filled
    return client


def test_a_body_that_names_no_file_of_ours_goes_as_it_is(inputs: FileInputs) -> None:
    body = naming("file-elsewhere")
    with inputs.filled(body, 60) as sent:
        assert sent is body
    quoting = json.dumps({"input": [{"role": "user", "content": '"file-' + "0" * 32 + '"'}]}).encode()
    with inputs.filled(quoting, 60) as sent:
        assert b"".join([sent] if isinstance(sent, bytes) else sent)


def test_a_file_goes_out_as_data_of_its_own_kind(files: Files, inputs: FileInputs) -> None:
    file = put(files, b"\x89PNG\r\n\x1a\nrest", filename="x.mp4")
    with inputs.filled(naming(file.id), 60) as sent:
        data = base64.b64encode(b"\x89PNG\r\n\x1a\nrest").decode()
        assert part_of(sent) == {"type": "input_video", "video_url": f"data:image/png;base64,{data}"}


def test_a_file_goes_out_as_a_link_that_is_good_for_the_run_and_an_hour(
    files: Files, store_client: redis.Redis
) -> None:
    links = FileLinks(store_client, secret="", public_url="https://jobs.example")
    file = put(files, b"hello")
    with FileInputs(files=files, links=links).filled(naming(file.id, kind="input_file"), 120) as sent:
        part = part_of(sent)
    assert part.keys() == {"type", "file_url"}
    query = parse_qs(urlsplit(part["file_url"]).query)
    expires = int(query["expires"][0])
    assert expires == pytest.approx(store_client.time()[0] + 120 + 3600, abs=2)
    assert links.admits(file.id, expires=expires, signature=query["signature"][0])


@pytest.mark.parametrize("way", ["deleted", "bytes lost", "expired"])
@pytest.mark.parametrize("as_link", [False, True])
def test_a_file_that_is_gone_is_told_and_nothing_is_sent(
    way: str, as_link: bool, files: Files, store_client: redis.Redis, tmp_path: Path
) -> None:
    file = put(files, b"hello", expires=3600)
    match way:
        case "deleted":
            files.delete(file.id, project=None)
        case "bytes lost":
            FileFolder(tmp_path / "files").remove(file.number)
        case _:
            store_client.hset("{respool}:file:" + file.number, "expires", 1)
    links = FileLinks(store_client, secret="", public_url="https://x") if as_link else None
    with (
        pytest.raises(FileGone, match=file.id) as caught,
        FileInputs(files=files, links=links).filled(naming(file.id), 60),
    ):
        pytest.fail("there is nothing to send")
    assert caught.value.sent is False


def test_a_disk_or_a_store_that_is_away_is_no_file_that_is_gone(files: Files, tmp_path: Path) -> None:
    file = put(files, b"hello")
    away = [
        FileInputs(files=Files(redis.Redis(port=1), FileFolder(tmp_path / "files"))),
        FileInputs(files=Files(files._client, FileFolder(tmp_path / "unmounted"))),
    ]
    for inputs in away:
        with pytest.raises(FilesAway) as caught, inputs.filled(naming(file.id), 60):
            pytest.fail("there is nothing to send")
        assert caught.value.sent is False


def test_a_file_that_is_deleted_while_it_is_sent_arrives_whole(files: Files, inputs: FileInputs) -> None:
    data = bytes(range(256)) * 4096
    file = put(files, data)
    with inputs.filled(naming(file.id), 60) as sent:
        files.delete(file.id, project=None)
        assert part_of(sent)["video_url"].endswith(base64.b64encode(data).decode())


def test_the_endpoint_reads_one_request_with_its_length_announced(
    files: Files, inputs: FileInputs, open_client: Callable[..., ResponsesClient]
) -> None:
    data = bytes(range(256)) * 4096
    file = put(files, data, filename="a.bin")
    with raw_server(http_answer(DONE)) as server:
        client = filling(open_client(server.url), inputs)
        client.create(naming(file.id), idempotency_key="k", call=Call(seconds=60))
        (request,) = server.requests
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head.lower()
    assert b"transfer-encoding" not in head.lower()
    assert part_of(body)["video_url"] == f"data:application/octet-stream;base64,{base64.b64encode(data).decode()}"


def test_a_large_file_is_sent_in_little_memory(files: Files, inputs: FileInputs) -> None:
    file = put(files, b"\0" * 16 * MIB)
    with inputs.filled(naming(file.id), 60) as sent:
        tracemalloc.start()
        try:
            total = sum(len(piece) for piece in sent if isinstance(piece, bytes))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert total == len(sent) > 16 * MIB * 4 // 3
    assert peak < MIB


@pytest.fixture
def file_shop(bench: Bench, sandbox: str, inputs: FileInputs, open_client: Callable[..., ResponsesClient]) -> Any:
    client = filling(open_client(f"{sandbox}/v1", connections=16), inputs)
    with open_shop(bench, attempts_at(bench.runs("w1"), Calls(), client)) as shop:
        yield shop


@pytest.mark.parametrize("background", [False, True])
def test_a_job_sends_its_file_and_keeps_only_the_id(
    background: bool, file_shop: Shop, files: Files, sandbox: str, tmp_path: Path
) -> None:
    if background:
        endpoints = {name: replace(e, background=True) for name, e in file_shop.attempts.endpoints.items()}
        file_shop.crew._make = replace(file_shop.attempts, endpoints=endpoints).make
    file = put(files, b"some text, twelve words or so", filename="a.txt")
    number = file_shop.bench.submit(body=naming(file.id, kind="input_file"))
    file_shop.take()
    file_shop.rest()
    job = file_shop.bench.job(number)
    assert (job.status, job.error) == ("completed", None)
    calls = requests.get(f"{sandbox}/sandbox/requests", timeout=10).json()["data"]
    (call,) = [call for call in calls if call["idempotency_key"] == job.id and call.get("body_bytes")]
    assert call["body_bytes"] > len(naming(file.id))


def test_a_job_whose_file_is_gone_fails_for_good_and_is_not_billed(file_shop: Shop, files: Files) -> None:
    file = put(files, b"x")
    number = file_shop.bench.submit(body=naming(file.id))
    files.delete(file.id, project=None)
    file_shop.take()
    file_shop.rest()
    job = file_shop.bench.job(number)
    assert job.error is not None
    assert (job.status, job.error["code"], job.error["retryable"]) == ("failed", "file_not_found", False)
    assert file.id in job.error["message"]
    (attempt,) = job.attempts
    assert (attempt["delivery"], attempt["may_be_billed"]) == ("not_sent", False)


def test_a_job_whose_files_are_away_is_tried_again(file_shop: Shop, files: Files, tmp_path: Path) -> None:
    file = put(files, b"x")
    number = file_shop.bench.submit(body=naming(file.id))
    (tmp_path / "files").rename(tmp_path / "away")
    file_shop.take()
    file_shop.rest()
    job = file_shop.bench.job(number)
    assert (job.status, job.attempts[0]["error"]["code"]) == ("queued", "files_unavailable")
    assert job.attempts[0]["may_be_billed"] is False
