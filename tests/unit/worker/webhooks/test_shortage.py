"""A process that can open no more files, under threads and under gevent."""

import errno
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.certificates import make_certificate
from tests.fakes.receiver import running_receiver
from worker.webhooks.shortage import Alarm, is_short, is_shortage


@pytest.fixture(scope="module", params=["threads", "gevent"])
def told(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What came of each post by its way; see tests/fakes/webhook_shortage.py."""
    made = make_certificate(Path(tmp_path_factory.mktemp("tls")), name="IP:127.0.0.1")
    with running_receiver() as plain, running_receiver(tls=made.server_context()) as tls:
        command = [sys.executable, "-m", "tests.fakes.webhook_shortage", request.param, plain.url, tls.url]
        done = subprocess.run([*command, str(made.file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("way", ["http", "https", "https with a file for the socket alone", "by name"])
def test_whatever_is_missing_a_file_it_is_nobody_else_s_trouble(way: str, told: dict[str, Any]) -> None:
    assert told["results"][way] == "too_many_open_files"


def test_a_warning_names_the_limit_and_is_not_repeated_at_once(told: dict[str, Any]) -> None:
    (warning,) = told["warnings"]
    assert f"may have {told['limit']} (ulimit -n)" in warning


def test_it_goes_on_when_there_are_files_again(told: dict[str, Any]) -> None:
    assert told["results"]["afterwards"] == 200


def test_the_alarm_sounds_again_after_ten_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now, alarm = [100.0], Alarm()
    monkeypatch.setattr("worker.webhooks.shortage.monotonic", lambda: now[0])
    with caplog.at_level(logging.WARNING):
        for now[0] in (100.0, 101.0, 109.9, 110.0, 119.0):
            alarm.sound()
    assert len(caplog.records) == 2


def test_other_errors_are_no_shortage() -> None:
    assert not is_shortage(OSError(errno.ECONNREFUSED, "refused"))
    assert not is_short()
