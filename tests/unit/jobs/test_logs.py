import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest

from jobs import logs
from jobs.errors import SettingsError
from jobs.settings import Settings
from tests.fakes.processes import CLEAN


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root, hooks = logging.getLogger(), (sys.excepthook, threading.excepthook)
    levels = {name: logging.getLogger(name).level for name in (*logs.ROOMS, *logs.QUIET)}
    handlers, level, told = root.handlers[:], root.level, logging.raiseExceptions
    source = logging._srcfile
    yield
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    sys.excepthook, threading.excepthook = hooks
    logging.captureWarnings(False)
    logging.raiseExceptions = told
    logging._srcfile = source


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines_of(stream: io.StringIO) -> list[dict[str, str]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize(
    ("form", "stream", "is_json"),
    [("", io.StringIO, True), ("", Terminal, False), ("text", io.StringIO, False), ("json", Terminal, True)],
)
def test_a_terminal_gets_text_and_others_json_unless_told_otherwise(
    form: str, stream: type[io.StringIO], is_json: bool
) -> None:
    assert isinstance(logs.lines(form, stream=stream()), logs.JsonLines) == is_json


def test_every_logger_writes_there_and_ours_at_their_level_alone() -> None:
    stream = io.StringIO()
    logs.set_up(Settings(log_level="DEBUG"), stream=stream)
    logging.getLogger("worker.x").debug("ours")
    logging.getLogger("kombu.x").debug("theirs")
    logging.getLogger("kombu.x").info("theirs too")
    logging.getLogger("urllib3.connectionpool").warning("a whole URL")
    assert [line["message"] for line in lines_of(stream)] == ["ours", "theirs too"]


def test_secrets_of_the_settings_and_those_given_are_hidden() -> None:
    stream = io.StringIO()
    logs.set_up(Settings(upstream_api_key="upstream-key"), secrets=["account-key"], stream=stream)
    logging.getLogger("x").warning("%s %s", "upstream-key", "account-key")
    assert lines_of(stream)[0]["message"] == "*** ***"


def test_warnings_and_what_nobody_catches_become_lines_without_what_a_caller_sent() -> None:
    stream = io.StringIO()
    logs.set_up(Settings(), stream=stream)

    def fail() -> None:
        raise ValueError("what a caller sent")

    thread = threading.Thread(target=fail, name="doomed")
    thread.start()
    thread.join()
    warnings.warn("old", stacklevel=1)
    first, second = lines_of(stream)
    assert (first["level"], first["error"]) == ("ERROR", "ValueError")
    assert "doomed" in first["message"]
    assert "sent" not in first["traceback"].replace('raise ValueError("what a caller sent")', "")
    assert "old" in second["message"]


def test_loggers_with_handlers_of_their_own_share_the_form() -> None:
    stream = io.StringIO()
    logs.set_up(Settings(), stream=io.StringIO())
    own = logging.getLogger("own")
    own.propagate, own.handlers[:] = False, [logging.StreamHandler(stream)]
    logs.share("own")
    own.warning("x")
    assert lines_of(stream)[0]["logger"] == "own"


@pytest.mark.parametrize("error", [SettingsError("RESPOOL_SLOTS", "must be less"), ValueError("what a caller sent")])
def test_what_keeps_a_process_from_starting_is_one_line_and_its_end(
    error: Exception, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended, logs.starting({"RESPOOL_LOG_FORMAT": "json"}):
        raise error
    (line,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert ended.value.code == logs.NOT_STARTED
    assert line["message"] == "this process cannot start" + (f": {error}" if isinstance(error, SettingsError) else "")
    assert line.get("error") == (None if isinstance(error, SettingsError) else "ValueError")


@pytest.mark.parametrize(
    "command",
    [["celery", "-A", "worker.main", "worker"], ["celery", "-A", "worker.webhooks.main", "worker"],
     ["gunicorn", "--config", "python:api.gunicorn_config", "--bind", "127.0.0.1:0", "api.main:app"]],
)  # fmt: skip
def test_no_process_writes_anything_but_lines_when_a_setting_is_wrong(command: list[str]) -> None:
    # Where two of its processes fail at once, gunicorn itself ends with a trace.
    environ = CLEAN | {"RESPOOL_LOG_FORMAT": "json", "RESPOOL_SLOTS": "canary", "WEB_CONCURRENCY": "1"}
    ended = subprocess.run([sys.executable, "-m", *command], env=environ, capture_output=True, text=True, check=False)
    found = [json.loads(line) for line in (ended.stdout + ended.stderr).splitlines()]
    assert ended.returncode == logs.NOT_STARTED
    assert any("cannot start: RESPOOL_SLOTS: must be" in line["message"] for line in found)
    assert "canary" not in ended.stderr
