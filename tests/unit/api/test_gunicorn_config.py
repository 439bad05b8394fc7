import runpy
from pathlib import Path
from typing import Any

import pytest

import api

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
