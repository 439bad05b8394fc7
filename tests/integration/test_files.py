"""Files as the Procfile's processes handle them: gunicorn, a Celery worker, the official SDK, a real film."""

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
import requests
from openai import APIStatusError, NotFoundError, OpenAI

from tests.factories import MODEL
from tests.fakes.media_files import make_clip
from tests.fakes.processes import running_api, running_worker
from tests.fakes.redis_server import running_redis
from tests.fakes.sandbox_server import running_sandbox
from tests.fakes.waiting import wait_until

MIB = 1024 * 1024
KEY = {"Authorization": "Bearer known"}


@dataclass(frozen=True, slots=True)
class Service:
    base: str
    folder: Path

    def on_disk(self) -> list[Path]:
        return [path for path in self.folder.rglob("*") if path.is_file()]

    def client(self) -> OpenAI:
        return OpenAI(base_url=f"{self.base}/v1", api_key="known", max_retries=0)


@pytest.fixture(scope="module", params=["data", "url"])
def service(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service")
    with running_redis(tmp_path_factory.mktemp("redis")) as redis, running_sandbox() as sandbox:
        settings = {
            "RESPOOL_REDIS_URL": redis.url,
            "RESPOOL_API_KEY": "known",
            "RESPOOL_FILES_FOLDER": str(folder / "files"),
            "RESPOOL_MAX_BODY_BYTES": str(MIB),
            "RESPOOL_MAX_FILE_BYTES": str(64 * MIB),
            "RESPOOL_UPSTREAM_URL": f"{sandbox}/v1",
            "RESPOOL_UPSTREAM_API_KEY": "any",
            "WEB_CONCURRENCY": "1",
        }
        with running_api(folder, settings) as base:
            more = {"RESPOOL_FILE_DELIVERY": request.param, "RESPOOL_PUBLIC_URL": base}
            with running_worker(folder, settings | more):
                yield Service(base, folder / "files")


def test_a_local_film_is_analysed_by_its_id(service: Service, tmp_path: Path) -> None:
    client = service.client()
    with make_clip(tmp_path / "clip.mp4").open("rb") as clip:
        film = client.files.create(file=clip, purpose="user_data")
    request = {
        "model": MODEL,
        "input": [{"role": "user", "content": [{"type": "input_video", "file_id": film.id}]}],
    }
    job = requests.post(f"{service.base}/v1/jobs", json={"request": request}, headers=KEY, timeout=10).json()
    done = requests.get(f"{service.base}/v1/jobs/{job['id']}", headers=KEY | {"Prefer": "wait=30"}, timeout=40).json()
    assert done["status"] == "completed", done
    (message,) = [item for item in done["response"]["output"] if item["type"] == "message"]
    assert "6.0 s" in message["content"][0]["text"] or "6 s" in message["content"][0]["text"], message
    client.files.delete(film.id)


def test_the_sdk_uploads_lists_reads_and_deletes(service: Service) -> None:
    client = service.client()
    made = [
        client.files.create(
            file=("a.jsonl", b"line %d\n" % n),
            purpose="batch",
            expires_after={"anchor": "created_at", "seconds": 3600},
        )
        for n in range(3)
    ]
    assert [file.id for file in client.files.list(limit=2, order="asc")] == [file.id for file in made]
    assert client.files.retrieve(made[0].id) == made[0]
    assert client.files.content(made[1].id).read() == b"line 1\n"
    assert all(client.files.delete(file.id).deleted for file in made)
    with pytest.raises(NotFoundError) as caught:
        client.files.retrieve(made[0].id)
    assert (caught.value.param, caught.value.code) == ("id", "file_not_found")
    assert service.on_disk() == []


def memory(service: Service) -> int:
    port = urlsplit(service.base).port
    ours = [p for p in psutil.Process().children(recursive=True) if f"127.0.0.1:{port}" in p.cmdline()]
    assert ours
    return sum(process.memory_info().rss for process in ours)


HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
)
END = b"\r\n--b--\r\n"


def form(size: int) -> Iterator[bytes]:
    yield HEAD
    for _ in range(size // 65536):
        yield b"\x00" * 65536
    yield END


def test_a_large_upload_and_its_download_take_little_memory(service: Service) -> None:
    before = memory(service)
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = requests.post(f"{service.base}/v1/files", data=form(64 * MIB), headers=KEY | kind, timeout=60)
    assert (answer.status_code, answer.json()["bytes"]) == (200, 64 * MIB)
    url = f"{service.base}/v1/files/{answer.json()['id']}"
    with requests.get(f"{url}/content", headers=KEY, stream=True, timeout=60) as content:
        assert sum(len(piece) for piece in content.iter_content(65536)) == 64 * MIB
    assert memory(service) - before < 16 * MIB
    requests.delete(url, headers=KEY, timeout=10)


def test_more_than_may_be_is_refused_and_leaves_nothing_whether_its_length_was_told_or_not(service: Service) -> None:
    with pytest.raises(APIStatusError) as caught:
        service.client().files.create(file=("f", b"\x00" * (65 * MIB)), purpose="user_data")
    assert (caught.value.status_code, caught.value.code) == (413, "file_too_large")
    kind = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = requests.post(f"{service.base}/v1/files", data=form(65 * MIB), headers=KEY | kind, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "file_too_large")
    assert service.on_disk() == []


def test_a_caller_who_leaves_half_way_leaves_nothing(service: Service) -> None:
    address = urlsplit(service.base)
    with socket.create_connection((str(address.hostname), address.port or 80)) as caller:
        caller.sendall(
            b"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer known\r\nContent-Length: 9999999\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\n\r\n" + HEAD + b"x" * 300_000
        )
        wait_until(lambda: len(service.on_disk()) == 1)
    wait_until(lambda: service.on_disk() == [])
