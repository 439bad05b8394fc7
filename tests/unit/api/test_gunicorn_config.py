import logging
import runpy
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import api
from api.gunicorn_hooks import EXTENSION, OneLine
from api.services import EXTENSION as SERVICES

CONFIG = Path(api.__file__).parent / "gunicorn_config.py"


def configured(monkeypatch: pytest.MonkeyPatch, **environ: str) -> dict[str, Any]:
    for name in ("PORT", "WEB_CONCURRENCY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(CONFIG))


def test_two_processes_listen_on_loopback_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch, WEB_CONCURRENCY="")
    assert (found["workers"], found["bind"]) == (2, "127.0.0.1:8000")


def test_the_environment_says_how_many_processes_and_which_port(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch, WEB_CONCURRENCY="5", PORT="9000")
    assert (found["workers"], found["bind"]) == (5, "127.0.0.1:9000")


class Closable:
    """Says when it was closed."""

    def __init__(self) -> None:
        self.closed = threading.Event()
        self.close = self.closed.set


class Safe:
    answered = True

    def refusal(self) -> None: ...


def test_streams_and_waits_end_as_soon_as_a_process_is_to_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    followers, endings, happenings = Closable(), Closable(), Closable()
    counts = SimpleNamespace(flush=lambda: None)
    services = SimpleNamespace(
        followers=followers, endings=endings, happenings=happenings, request_counts=counts, safety=Safe()
    )
    app = SimpleNamespace(extensions={SERVICES: services})
    worker = SimpleNamespace(alive=True, wsgi=app)
    logger = logging.getLogger("gunicorn.error")
    before = list(logger.filters)
    configured(monkeypatch)["post_worker_init"](worker)
    logger.filters = before
    assert not followers.closed.wait(0.01)
    worker.alive = False
    assert followers.closed.wait(5)
    assert endings.closed.wait(5)
    assert happenings.closed.wait(5)
    assert EXTENSION == SERVICES


@pytest.mark.parametrize(("error", "quiet"), [(TimeoutError("timed out"), True), (ValueError("ours"), False)])
def test_a_client_that_is_cut_off_is_one_line_of_the_log_and_a_fault_of_ours_is_told_whole(
    error: Exception, quiet: bool, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tests.gunicorn")
    logger.addFilter(OneLine())
    with caplog.at_level(logging.INFO):
        try:
            raise error
        except Exception:
            logger.error("Socket error processing request.", exc_info=sys.exc_info())
    assert (len(caplog.text.splitlines()) == 1) == quiet
    assert ("was cut off" in caplog.text) == quiet


def test_what_is_no_http_is_told_of_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("tests.gunicorn")
    logger.addFilter(quiet := OneLine())
    logger.warning("Invalid request from ip=127.0.0.1: Invalid HTTP request line: 'GET rsp_secret'")
    logger.removeFilter(quiet)
    assert caplog.messages == ["Invalid request from ip=127.0.0.1"]


def test_lines_of_accesses_hold_no_query(monkeypatch: pytest.MonkeyPatch) -> None:
    found = configured(monkeypatch)["access_log_format"]
    assert not any(atom in found for atom in ("%(r)s", "%(q)s", "%(f)s"))


def test_nothing_that_gevent_has_yet_to_patch_is_imported_before_the_processes_are_started() -> None:
    code = "import sys; from api import gunicorn_config; sys.exit('ssl' in sys.modules or 'redis' in sys.modules)"
    before = "import gunicorn.glogging, gunicorn.app.wsgiapp, sys; sys.exit('redis' in sys.modules)"
    assert [subprocess.run([sys.executable, "-c", text], check=False).returncode for text in (before, code)] == [0, 0]
