"""The command line as people use it: on a terminal, in a pipe, against a service that dies under it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.media_files import make_clip
from tests.fakes.processes import CLEAN
from tests.fakes.up import MODEL, Up, respool
from tests.fakes.waiting import wait_until


def streamed(fault: str) -> str:
    """A request whose answer comes as the sandbox's `fault` says."""
    return json.dumps({"model": MODEL, "stream": True, "input": "Tell me of a river", "metadata": {"sandbox": fault}})


SLOWLY = streamed("pace=0.3")
CONTROL = re.compile(rb"\x1b")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    up = Up(data=tmp_path_factory.mktemp("up") / "data", arguments=("--workers", "1"))
    try:
        yield up.start()
    finally:
        up.clean_up()


class Terminal:
    """A command on a terminal of its own."""

    def __init__(self, service: Up, *arguments: str, environ: dict[str, str] | None = None) -> None:
        self.seen = b""
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "respool", *arguments, "--data", str(service.data)],
            stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
            env=CLEAN | {"TERM": "xterm-256color"} | (environ or {}),
        )  # fmt: skip
        os.close(slave)
        os.set_blocking(self._master, False)

    def shows(self, text: str) -> bool:
        with suppress(BlockingIOError, OSError):
            while piece := os.read(self._master, 65536):
                self.seen += piece
        return text.encode() in self.seen

    def ended(self) -> int:
        wait_until(lambda: not self.shows("\0") and self.process.poll() is not None, seconds=30)
        self.shows("")
        os.close(self._master)
        return self.process.wait()


def test_a_local_video_is_uploaded_and_its_answer_alone_goes_into_a_pipe(service: Up, tmp_path: Path) -> None:
    film = make_clip(tmp_path / "film.mp4")
    done = service.run(
        "submit", "-m", MODEL, "-p", "What happens?", "--video", str(film), "--fps", "1", "--metadata", "who=me", "-w"
    )
    assert done.returncode == 0, done.stderr
    assert "Medium 1 (video" in done.stdout
    assert re.search(r"film\.mp4: [\d.]+ kB, uploaded as file-", done.stderr)
    assert not CONTROL.search((done.stdout + done.stderr).encode())
    listed = [json.loads(line) for line in service.run("jobs", "--metadata", "who=me", "--json").stdout.splitlines()]
    assert len(listed) == 1
    assert listed[0]["id"] in service.run("show", listed[0]["id"]).stdout


def test_on_a_terminal_a_job_is_watched_as_its_answer_is_written(service: Up, tmp_path: Path) -> None:
    (tmp_path / "slow.json").write_text(SLOWLY)
    terminal = Terminal(service, "submit", str(tmp_path / "slow.json"), "--watch")
    wait_until(lambda: terminal.shows("Sandbox: no"), seconds=30)
    assert terminal.process.poll() is None, "the text came only with the end"
    assert terminal.ended() == 0
    assert b"completed, 1 attempt" in terminal.seen


def test_a_watcher_outlives_the_api_and_shows_each_word_once(service: Up) -> None:
    job_id = service.run("submit", "-", stdin=SLOWLY).stdout.strip()
    terminal = Terminal(service, "watch", job_id, environ={"TERM": "dumb"})
    wait_until(lambda: terminal.shows("Sandbox: no"), seconds=30)
    for process in service.named("api.main:app"):
        process.kill()
    assert terminal.ended() == 0
    assert terminal.seen.count(b"Sandbox: no") == 1
    assert b"beginning \xe2\x80\x9cTell me of a river" in terminal.seen
    wait_until(lambda: service.run("jobs").returncode == 0, seconds=30)


def test_ctrl_c_ends_the_watching_with_130_and_not_the_job(service: Up) -> None:
    job_id = service.run("submit", "-", stdin=streamed("stall")).stdout.strip()
    terminal = Terminal(service, "watch", job_id)
    wait_until(lambda: terminal.shows("Sandbox: no"), seconds=30)
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.ended() == 130
    assert b"Traceback" not in terminal.seen
    assert service.count("in_progress") == 1
    service.run("cancel", job_id)
    assert service.ending(job_id) == "cancelled"


def test_a_reader_that_has_gone_is_no_reason_for_a_trace(service: Up) -> None:
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "respool", "jobs", "--json", "--data", str(service.data)],
        stdout=write, stderr=subprocess.PIPE, env=CLEAN, check=False, timeout=30,
    )  # fmt: skip
    os.close(write)
    assert (done.returncode, done.stderr) == (141, b"")


def test_no_color_is_heeded_on_a_terminal(service: Up) -> None:
    coloured, plain = Terminal(service, "doctor"), Terminal(service, "doctor", environ={"NO_COLOR": "1"})
    assert (coloured.ended(), plain.ended()) == (0, 0)
    assert b"\x1b[32m" in coloured.seen
    assert not CONTROL.search(plain.seen)


def test_the_doctor_finds_nothing_wrong_with_a_fresh_service_and_a_wrong_key_at_once(service: Up) -> None:
    looked = service.run("doctor", "--json")
    assert looked.returncode == 0
    assert {json.loads(line)["level"] for line in looked.stdout.splitlines()} == {"ok"}
    elsewhere = respool("doctor", environ={"RESPOOL_URL": service.url, "RESPOOL_API_KEY": "rsp_wrong"})
    assert elsewhere.returncode == 1
    assert "fail  key: " in elsewhere.stdout


def test_a_service_elsewhere_is_reached_by_url_and_key_alone(service: Up, tmp_path: Path) -> None:
    key = service.run("keys", "create", "--admin").stdout.strip()
    there = {"RESPOOL_URL": service.url, "RESPOOL_API_KEY": key}
    lane = f"default:{MODEL}"
    assert respool("lanes", "pause", lane, "--reason", "tea", environ=there).returncode == 0
    assert "tea" in respool("lanes", "list", environ=there).stdout
    job_id = respool("submit", "-m", MODEL, "-p", "hello", environ=there).stdout.strip()
    wait_until(lambda: "lane_paused" in respool("jobs", "--status", "queued", environ=there).stdout, seconds=20)
    assert respool("cancel", job_id, environ=there).stdout == f"{job_id} cancelled\n"
    assert respool("lanes", "resume", lane, environ=there).returncode == 0
    assert respool("projects", "list", environ=there).returncode == 0
    assert respool("usage", "--csv", environ=there).stdout.startswith("day,project,model,")


def test_a_failed_job_is_retried(service: Up) -> None:
    job_id = service.submit(fault="status=400;code=InvalidParameter;times=1")
    assert service.ending(job_id) == "failed"
    assert service.run("retry", job_id, "--watch").returncode == 0


def test_help_comes_at_once() -> None:
    begun = min(_seconds("--help") for _ in range(5))
    assert begun < 0.6


def _seconds(*arguments: str) -> float:
    begun = time.monotonic()
    assert respool(*arguments).returncode == 0
    return time.monotonic() - begun
