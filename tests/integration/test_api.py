"""The API as the Procfile runs it: gunicorn with gevent, asked over sockets."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import psutil
import pytest
import redis
import requests
from click.testing import CliRunner

from jobs import keys
from jobs.tenants import Tenants
from respool.cli import main
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, COMPLETED, running_bench
from tests.fakes.processes import running_api
from tests.fakes.redis_server import RedisServer, running_redis
from tests.fakes.waiting import wait_until

KEY = {"Authorization": "Bearer known"}
MIB = 1024 * 1024
PROCESSES = 2


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with running_redis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture(scope="module")
def base(own_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An API with a bound of 1 MiB on bodies and the development key `known`."""
    settings = {
        "RESPOOL_REDIS_URL": own_redis.url,
        "RESPOOL_API_KEY": "known",
        "RESPOOL_MAX_BODY_BYTES": str(MIB),
        "WEB_CONCURRENCY": str(PROCESSES),
    }
    with running_api(tmp_path_factory.mktemp("api"), settings) as address:
        yield address


def gunicorn_rss(base: str) -> int:
    """The memory of whoever serves at that address, with its children, in bytes."""
    port = urlsplit(base).port
    ours = [p for p in psutil.Process().children(recursive=True) if f"127.0.0.1:{port}" in p.cmdline()]
    assert ours
    return sum(process.memory_info().rss for process in ours)


def submit(base: str, **headers: str) -> requests.Response:
    body = {"request": {"model": MODEL, "input": "hello"}}
    return requests.post(f"{base}/v1/jobs", json=body, headers=KEY | headers, timeout=10)


def in_pieces(size: int) -> Iterator[bytes]:
    for _ in range(size // 65536):
        yield b" " * 65536


class Spaces:
    """A body of so many bytes that is never in memory as a whole; its length is announced."""

    def __init__(self, size: int) -> None:
        self._size = self._left = size

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = 65536) -> bytes:
        size = min(most, 65536, self._left)
        self._left -= size
        return b" " * size


@pytest.mark.parametrize("body", [Spaces, in_pieces], ids=["with its length", "in chunks"])
def test_a_body_of_100_megabytes_gets_its_413_and_is_not_kept(body: Callable[[int], object], base: str) -> None:
    submit(base)
    before = gunicorn_rss(base)
    answer = requests.post(
        f"{base}/v1/jobs", data=body(100 * MIB), headers=KEY | {"Content-Type": "application/json"}, timeout=60
    )
    assert answer.status_code == 413
    assert answer.json()["error"]["code"] == "body_too_large"
    assert gunicorn_rss(base) - before < 30 * MIB
    assert submit(base).status_code == 202


@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_a_large_body_without_a_key_gets_its_401(kind: str, base: str) -> None:
    answer = requests.post(f"{base}/v1/jobs", data=Spaces(20 * MIB), headers={"Content-Type": kind}, timeout=30)
    assert answer.status_code == 401


def test_a_keyed_submit_is_one_job_however_many_come_at_once(base: str) -> None:
    answers: list[requests.Response] = []
    threads = [
        threading.Thread(target=lambda: answers.append(submit(base, **{"Idempotency-Key": "storm"}))) for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1


def test_a_hundred_polls_wait_over_one_subscription_a_process_and_all_hear_of_the_end(
    base: str, own_redis: RedisServer
) -> None:
    job_id = submit(base).json()["id"]
    polls: list[requests.Response] = []

    def poll() -> None:
        headers = KEY | {"Prefer": "wait=30"}
        polls.append(requests.get(f"{base}/v1/jobs/{job_id}", headers=headers, timeout=40))

    threads = [threading.Thread(target=poll) for _ in range(100)]
    for thread in threads:
        thread.start()
    with redis.Redis(port=own_redis.port) as client, running_bench(client) as bench:
        wait_until(lambda: client.pubsub_numsub(keys.ENDED_CHANNEL)[0][1] >= 1)
        bench.beat("w1", slots=1000)
        bench.dispatch("w1")
        for claim in bench.claim("w1"):
            bench.runs("w1").finish(claim, COMPLETED, ANSWERED)
        for thread in threads:
            thread.join(40)
        assert client.pubsub_numsub(keys.ENDED_CHANNEL)[0][1] <= PROCESSES
    assert [poll.json()["status"] for poll in polls] == ["completed"] * 100


def test_a_poll_returns_at_the_end_of_its_time(base: str) -> None:
    job_id = submit(base).json()["id"]
    began = time.monotonic()
    answer = requests.get(f"{base}/v1/jobs/{job_id}", headers=KEY | {"Prefer": "wait=1"}, timeout=30)
    assert answer.json()["status"] == "queued"
    assert time.monotonic() - began >= 1


def test_the_official_location_leads_to_the_job(base: str) -> None:
    answer = submit(base)
    assert answer.headers["Location"].startswith(base)
    found = requests.get(answer.headers["Location"], headers=KEY, timeout=10)
    assert found.json()["id"] == answer.json()["id"]


@pytest.mark.parametrize(
    "head",
    [
        b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\r\n b\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_malformed_request_is_refused_and_the_service_lives(head: bytes, base: str) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0), timeout=10) as connection:
        connection.sendall(head)
        assert b" 400 " in connection.recv(65536).split(b"\r\n")[0]
    assert requests.get(f"{base}/healthz", timeout=10).json() == {"status": "ok"}


@pytest.mark.parametrize("key", ["known", "rsp_unknown"])
@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/v1/responses", "application/json", b'6\r\n{"mode\r\nZZ\r\n'),
        ("/v1/responses", "application/json", b'6\r\n{"model"\r\n0\r\n\r\n'),
        ("/v1/jobs", "application/json", b"ZZ\r\n"),
    ],
)
def test_a_body_of_garbled_chunks_is_refused_and_nothing_behind_it_is_taken_for_a_request(
    path: str, kind: str, body: bytes, key: str, base: str
) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: {kind}\r\n"
    behind = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", urlsplit(base).port or 0), timeout=10) as connection:
        connection.sendall(head.encode() + b"Transfer-Encoding: chunked\r\n\r\n" + body + behind)
        came = b"".join(iter(lambda: connection.recv(65536), b""))
    assert came.startswith(b"HTTP/1.1 400 " if key == "known" else b"HTTP/1.1 401 ")
    assert came.count(b"HTTP/1.1 ") == 1
    assert key != "known" or b'"code":"invalid_body"' in came


def test_a_request_id_travels_through(base: str) -> None:
    answer = requests.get(f"{base}/v1/jobs", headers=KEY | {"X-Request-Id": "mine-1"}, timeout=10)
    assert answer.headers["x-request-id"] == "mine-1"
    assert json.loads(answer.content)["object"] == "list"


@pytest.fixture(scope="module")
def admin(own_redis: RedisServer) -> dict[str, str]:
    """The header of an admin's key."""
    with redis.Redis(port=own_redis.port) as client:
        text, _ = Tenants(client, secret="").create(project="operators", role="admin")
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("name", ["default:a/b c", "default:a//b", "default:ä?#%", "default:a/pause", "default:a/"])
def test_a_lane_of_any_name_is_changed_paused_and_resumed(name: str, base: str, admin: dict[str, str]) -> None:
    lane = f"{base}/v1/lanes/{quote(name, safe='')}"
    body = {"requests_per_minute": 300, "reason": "more"}
    changed = requests.patch(lane, json=body, headers=admin, timeout=10)
    assert (changed.status_code, changed.json()["id"]) == (200, name)
    assert requests.post(f"{lane}/pause", headers=admin, timeout=10).json()["state"] == "paused"
    assert requests.get(lane, headers=KEY, timeout=10).json()["state"] == "paused"
    assert requests.post(f"{lane}/resume", headers=admin, timeout=10).json()["state"] == "open"
    assert requests.patch(lane, json=body, headers=KEY, timeout=10).status_code == 403


def test_a_limit_that_one_process_sets_holds_in_all(base: str, admin: dict[str, str]) -> None:
    project = f"{base}/v1/projects/default"
    assert requests.patch(project, json={"submits_per_minute": 3}, headers=admin, timeout=10).status_code == 200
    try:
        answers = [submit(base) for _ in range(12)]
    finally:
        requests.patch(project, json={"submits_per_minute": None}, headers=admin, timeout=10)
    taken = [answer for answer in answers if answer.status_code == 202]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(taken) + len(refused) == 12
    assert 3 <= len(taken) <= 4  # one more where the minute goes on meanwhile
    assert [answer.headers["x-ratelimit-remaining-requests"] for answer in taken[:3]] == ["2", "1", "0"]
    for answer in refused:
        assert answer.json()["error"]["code"] == "submits_per_minute"
        assert 1 <= int(answer.headers["Retry-After"]) <= 20
        assert answer.headers["RateLimit-Policy"] == '"requests";q=3;w=60'
    assert submit(base).status_code == 202


def test_a_dry_run_has_a_place_that_a_submit_then_takes(base: str) -> None:
    body = {"request": {"model": "glm-4.7", "input": "hello"}, "priority": 2}
    told = requests.post(f"{base}/v1/jobs?dry_run=true", json=body, headers=KEY, timeout=10)
    job = requests.post(f"{base}/v1/jobs", json=body, headers=KEY, timeout=10)
    assert (told.status_code, job.status_code) == (200, 202)
    assert told.json()["position"] == job.json()["position"] == 1
    assert told.json()["tokens"]["total"] == job.json()["estimated_tokens"]


def test_the_command_line_hands_in_with_a_priority_that_goes_before_the_files(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESPOOL_API_KEY", "known")
    file = tmp_path / "job.json"
    file.write_text(json.dumps({"request": {"model": MODEL, "input": "hello"}, "priority": 1}))
    for options, priority in ((), 1), (("--priority", "9"), 9):
        done = CliRunner().invoke(main, ["submit", str(file), "--url", base, "--json", *options])
        assert (done.exit_code, json.loads(done.output)["priority"]) == (0, priority)
    monkeypatch.setenv("COLUMNS", "250")
    listed = CliRunner().invoke(main, ["jobs", "--url", base, "--status", "queued", "--limit", "1"])
    assert "position " in listed.output
