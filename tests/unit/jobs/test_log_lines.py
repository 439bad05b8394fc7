import json
import logging
import time
from typing import Any

import pytest

from jobs.errors import StoreUnavailable
from jobs.log_context import about
from jobs.log_lines import MOST_CHARACTERS, JsonLines, TextLines, trace_of
from jobs.log_secrets import Hider

JSON = JsonLines(Hider(["canary-secret"]))
TEXT = TextLines(Hider(["canary-secret"]))


def record(message: str, *args: Any, error: BaseException | None = None) -> logging.LogRecord:
    exc_info = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord("worker.results", logging.WARNING, __file__, 1, message, args, exc_info)  # type: ignore[arg-type]


def raised(error: Exception, *, cause: Exception | None = None) -> Exception:
    try:
        raise error from cause
    except type(error):
        return error


def test_a_line_is_one_object_with_what_it_is_about_as_fields() -> None:
    with about(request_id="req_1", job_id="job_1", attempt=2, lane="default:m"):
        line = JSON.format(record("%s\nfailed", "it"))
    assert "\n" not in line
    found = json.loads(line)
    assert found["time"].endswith("+00:00")
    assert found.items() >= {
        "level": "WARNING", "logger": "worker.results", "message": "it\nfailed",
        "request_id": "req_1", "job_id": "job_1", "attempt": 2, "lane": "default:m",
    }.items()  # fmt: skip


def test_text_is_one_line_that_no_terminal_obeys() -> None:
    with about(job_id="job_1", attempt=2):
        line = TEXT.format(record("red \x1b[31m\nnext"))
    assert line.endswith(r"WARNING worker.results: red \x1b[31m\nnext [job_id=job_1 attempt=2]")


@pytest.mark.parametrize("lines", [JSON, TEXT])
def test_no_secret_is_in_the_message_in_what_it_is_about_or_in_the_traceback(lines: logging.Formatter) -> None:
    error = raised(StoreUnavailable("canary-secret"))
    with about(request_id="canary-secret"):
        line = lines.format(record("canary-secret", error=error))
    assert "canary" not in line
    assert line.count("***") == 3


def test_of_other_peoples_errors_the_text_is_left_out_and_of_ours_it_is_told() -> None:
    error = raised(StoreUnavailable("Redis is away"), cause=raised(ValueError("what a caller sent")))
    told = trace_of(error)
    assert told.index("ValueError") < told.index("jobs.errors.StoreUnavailable: Redis is away")
    assert "what a caller sent" not in told
    assert "in raised" in told


def test_of_an_error_of_the_system_its_reason_is_told_and_no_name() -> None:
    assert trace_of(raised(FileNotFoundError(2, "No such file", "/secret"))).endswith("FileNotFoundError: No such file")


def test_an_error_of_ours_cannot_begin_a_line_of_its_own_in_text() -> None:
    line = TEXT.format(record("failed", error=raised(StoreUnavailable("gone\n\x1b[2J2026-01-01 INFO all is well"))))
    assert line.endswith(r"gone\n\x1b[2J2026-01-01 INFO all is well")


def test_a_message_whose_arguments_cannot_be_shown_is_told_without_them() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("canary-secret")

    assert json.loads(JSON.format(record("%s came", Odd())))["message"] == "%s came"


@pytest.mark.parametrize("part", ["a", "?", "://", "@", "Bearer ", "sk-"])
def test_a_huge_message_takes_no_longer_to_be_told_than_a_long_one(part: str) -> None:
    started = time.process_time()
    JSON.format(record(part * 1_000_000))
    assert time.process_time() - started < 2


def test_a_message_that_does_not_fit_its_arguments_is_told_as_it_is() -> None:
    assert json.loads(JSON.format(record("%d jobs", "many")))["message"] == "%d jobs"


def test_a_long_message_is_cut() -> None:
    assert len(json.loads(JSON.format(record("x" * 10_000)))["message"]) == MOST_CHARACTERS
