"""What `respool up` promises of its processes."""

import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from respool.demo_receiver import receiving, verified
from respool.processes import STOP_SECONDS
from tests.fakes.redis_server import RedisServer
from tests.fakes.up import MODEL, Up, respool
from tests.fakes.waiting import wait_until

GUARD_SECONDS = 10.0

Start = Callable[..., Up]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts `respool up`, on the same folder each time; whatever is left of it afterwards is killed."""
    started: list[Up] = []

    def start_one(*arguments: str, **environ: str) -> Up:
        up = Up(data=tmp_path / "data", arguments=arguments, environ=environ)
        started.append(up)
        return up.start()

    yield start_one
    for up in started:
        up.clean_up()


def submit_many(up: Up, count: int, *, fault: str) -> list[str]:
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(lambda _: up.submit(fault=fault), range(count)))


def test_when_it_says_ready_everything_answers_and_ctrl_c_ends_all_of_it(start: Start) -> None:
    up = start("--workers", "3")
    assert up.ask("GET", "/readyz").status_code == 200
    assert len(up.named("celery -A worker.main worker")) == 3
    assert len(up.named("celery -A worker.webhooks.main worker")) == 1
    assert up.named("sandbox.main:app")
    assert up.named("valkey-server") or up.named("redis-server")
    assert up.ending(up.submit()) == "completed"

    up.process.send_signal(signal.SIGINT)

    assert up.process.wait(STOP_SECONDS) == 0
    up.wait_until_gone(seconds=1)
    with pytest.raises(requests.ConnectionError):
        requests.get(up.url, timeout=5)
    assert not (up.data / "service.json").exists()


def test_sigterm_with_long_calls_under_way_stops_within_its_time_and_the_next_start_ends_the_jobs(start: Start) -> None:
    up = start(RESPOOL_GRACE_SECONDS="1")
    jobs = submit_many(up, 20, fault="delay=8")
    wait_until(lambda: up.count("in_progress") == len(jobs))
    up.process.terminate()
    assert up.process.wait(STOP_SECONDS) == 0
    up.wait_until_gone(seconds=1)

    again = start()
    assert again.endings(jobs) == {"completed"}
    attempts = [again.ask("GET", f"/v1/jobs/{job}").json()["attempts"] for job in jobs]
    assert {len(of_one_job) for of_one_job in attempts} == {2}
    assert all(of_one_job[0]["finished_at"] is not None for of_one_job in attempts)


def test_a_second_ctrl_c_ends_everything_at_once(start: Start) -> None:
    up = start()
    jobs = submit_many(up, 5, fault="hang")
    wait_until(lambda: up.count("in_progress") == len(jobs))
    up.process.send_signal(signal.SIGINT)
    wait_until(lambda: not up.named("api.main:app"))
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(3) == 0
    up.wait_until_gone(seconds=1)


def test_kill_9_of_it_leaves_no_process_and_the_next_start_finds_every_job_again(start: Start) -> None:
    up = start()
    jobs = submit_many(up, 200, fault="delay=3")
    wait_until(lambda: up.count("in_progress") == 100)
    up.process.kill()
    # At once, while the guard is still at work.
    again = start()
    assert up.process.wait() == -signal.SIGKILL
    assert again.key == up.key
    assert again.endings(jobs) == {"completed"}
    again.process.kill()
    again.wait_until_gone(seconds=GUARD_SECONDS)


def test_kill_9_of_every_process_at_once_loses_no_job(start: Start) -> None:
    up = start()
    jobs = submit_many(up, 50, fault="delay=1")
    wait_until(up.has_written)
    for process in up.processes():
        process.kill()
    up.wait_until_gone(seconds=5)
    again = start()
    assert again.endings(jobs) == {"completed"}


def test_a_second_start_on_the_folder_of_a_live_one_is_refused_and_told_its_process(start: Start) -> None:
    up = start()
    second = up.run("up", "--port", "0")
    assert second.returncode == 1
    assert str(up.process.pid) in second.stderr
    assert second.stdout == ""
    assert up.ask("GET", "/readyz").status_code == 200


@pytest.mark.parametrize(
    "name",
    ["api.main:app", "celery -A worker.main", "celery -A worker.webhooks.main", "sandbox.main:app", "server.conf"],
)
def test_a_process_that_is_killed_is_started_again(start: Start, name: str) -> None:
    up = start("--workers", "1")
    first = up.named(name) or up.named("valkey-server") or up.named("redis-server")
    oldest = min(first, key=lambda process: process.create_time())
    oldest.kill()
    wait_until(lambda: not oldest.is_running() and up.ask("GET", "/readyz").ok)
    assert up.ending(up.submit()) == "completed"
    assert "starts again in" in up.log.read_text()


def test_a_guard_that_is_killed_while_nothing_happens_is_replaced_by_one_that_knows_all_processes(start: Start) -> None:
    up = start()
    (guard,) = up.named("guard.py")
    guard.kill()
    wait_until(lambda: "a new one has taken its place" in up.log.read_text())
    assert [process.pid for process in up.named("guard.py")] not in ([], [guard.pid])
    up.process.kill()
    up.wait_until_gone(seconds=GUARD_SECONDS)


def test_a_busy_port_is_said_clearly_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        refused = respool("up", "--port", str(port), "--data", str(tmp_path / "data"))
    assert refused.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in refused.stderr
    assert Up(data=tmp_path / "data").processes() == []


def test_a_wrong_setting_is_named_before_anything_starts(tmp_path: Path) -> None:
    refused = respool("up", "--data", str(tmp_path / "data"), environ={"RESPOOL_SLOTS": "many"})
    assert refused.returncode == 2
    assert "RESPOOL_SLOTS" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_a_redis_that_is_given_is_used_and_outlives_it(
    start: Start, redis_url: str, redis_server: RedisServer, tmp_path: Path
) -> None:
    up = start("--workers", "1", RESPOOL_REDIS_URL=redis_url, RESPOOL_UNSAFE_REDIS="allow")
    assert not (tmp_path / "data" / "redis").exists()
    job = up.submit()
    assert up.ending(job) == "completed"
    up.process.terminate()
    assert up.process.wait(STOP_SECONDS) == 0
    assert redis_server.process is not None
    assert redis_server.process.poll() is None


@pytest.mark.parametrize("by_account", [False, True])
def test_an_upstream_that_is_given_takes_the_place_of_the_sandbox(
    start: Start, tmp_path: Path, by_account: bool
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        url = f"http://127.0.0.1:{upstream.getsockname()[1]}/v1"
        settings = {"RESPOOL_UPSTREAM_URL": url, "RESPOOL_UPSTREAM_API_KEY": "upstream-key"}
        if by_account:
            limits = tmp_path / "limits.toml"
            limits.write_text(f'[accounts.main]\nurl = "{url}"\napi_key_variable = "MAIN_KEY"\n')
            settings = {"RESPOOL_LIMITS_FILE": str(limits), "MAIN_KEY": "upstream-key"}
        up = start("--workers", "1", **settings)
        assert not up.named("sandbox.main:app")
        up.submit()
        upstream.settimeout(20)
        connection, _ = upstream.accept()
        with connection:
            head = connection.recv(65536).decode()
    assert head.startswith("POST /v1/responses ")
    assert "Bearer upstream-key" in head


def test_a_jobs_end_is_sent_to_a_receiver_under_the_secret_that_it_tells_the_place_of(start: Start) -> None:
    up = start("--workers", "1", RESPOOL_WEBHOOK_ALLOW="127.0.0.1/32")
    assert f'export OPENAI_WEBHOOK_SECRET="$(cat {up.data / "webhook-secret"})"' in up.log.read_text()
    with receiving() as receiver:
        job = {"request": {"model": MODEL, "input": "hello"}, "webhook": {"url": receiver.url}}
        answer = up.ask("POST", "/v1/jobs", json=job)
        assert answer.status_code == 202, answer.text
        received = receiver.wait(seconds=60)
    assert received is not None
    event = verified(received, secret=(up.data / "webhook-secret").read_text().strip())
    assert (event["type"], event["data"]["respool"]["job_id"]) == ("response.completed", answer.json()["id"])


def test_its_files_are_for_their_owner_alone(start: Start) -> None:
    up = start("--workers", "1")
    secret = [
        up.data / "api-key",
        up.data / "webhook-secret",
        up.data / "service.json",
        up.data / "redis" / "server.conf",
    ]
    assert {oct(path.stat().st_mode & 0o777) for path in secret} == {"0o600"}
    assert up.data.stat().st_mode & 0o077 == 0
