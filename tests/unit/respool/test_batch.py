import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import Answer, Request, answering, routed


def batch(status: str = "completed", *, failed: int = 0, **more: Any) -> dict[str, Any]:
    ended = status in ("completed", "failed", "expired", "cancelled")
    return {
        "id": "batch_1", "status": status, "model": "m", "created_at": 1, "errors": None, "input_file_id": "file-1",
        "output_file_id": "file-2" if ended else None, "error_file_id": "file-3" if failed else None,
        "request_counts": {"total": 3, "completed": 3 - failed if ended else 1, "failed": failed},
        "respool": {"waiting_reason": None, "cost": None}, **more,
    }  # fmt: skip


FILES = {
    "POST /v1/files": {"id": "file-1"},
    "GET /v1/files/file-2/content": (200, {}, b'{"custom_id": "1"}\n'),
    "GET /v1/files/file-3/content": (200, {}, b'{"custom_id": "2"}\n'),
}


def test_a_file_is_uploaded_and_becomes_a_batch(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_text("{}\n")
    with answering(routed(FILES | {"POST /v1/batches": batch("validating")})) as (api, asked):
        done = typed(
            api, "batch", "submit", str(file), "--metadata", "a=b", "--priority", "2", "--window-seconds", "60",
            "--webhook", "https://hooks.example",
        )  # fmt: skip
    assert (done.exit_code, done.stdout) == (0, "batch_1\n")
    assert b'name="purpose"\r\n\r\nbatch' in asked[0].body
    assert json.loads(asked[1].body) == {
        "input_file_id": "file-1", "endpoint": "/v1/responses", "completion_window": "24h", "metadata": {"a": "b"},
        "respool": {"completion_window_seconds": 60, "priority": 2, "webhook": {"url": "https://hooks.example"}},
    }  # fmt: skip
    assert asked[1].headers["Idempotency-Key"].startswith("cli-")


@pytest.mark.parametrize(
    ("end", "code"), [(batch(), 0), (batch(failed=1), 1), (batch("expired"), 1), (batch("failed"), 1)]
)
def test_watched_it_ends_well_only_if_each_line_was_answered(end: dict[str, Any], code: int) -> None:
    def answer(number: int, _: Request) -> Answer:
        return (200, {}, batch("in_progress") if number == 0 else end)

    with answering(answer) as (api, _):
        done = typed(api, "batch", "status", "--watch", "batch_1")
    assert done.exit_code == code
    assert done.stderr.splitlines()[0] == "batch_1 in_progress 1/3"


def test_the_mistakes_of_a_file_are_told_line_by_line() -> None:
    errors = {"data": [{"code": "c", "line": 2, "message": "is missing", "param": "model"}]}
    with answering(routed({"GET /v1/batches/batch_1": batch("failed", errors=errors)})) as (api, _):
        assert "line 2: model: is missing" in typed(api, "batch", "status", "batch_1").stdout


def test_the_newest_are_listed() -> None:
    page = {"data": [batch("in_progress")], "has_more": False}
    with answering(routed({"GET /v1/batches": page})) as (api, _):
        assert "in_progress" in typed(api, "batch", "status").stdout
        assert json.loads(typed(api, "batch", "status", "--json").stdout)["id"] == "batch_1"


def test_results_go_to_stdout_answers_first() -> None:
    with answering(routed(FILES | {"GET /v1/batches/batch_1": batch(failed=1)})) as (api, _):
        assert typed(api, "batch", "results", "batch_1").stdout == '{"custom_id": "1"}\n{"custom_id": "2"}\n'


def test_results_go_to_files_and_failures_are_told(tmp_path: Path) -> None:
    answers, failures = tmp_path / "out.jsonl", tmp_path / "err.jsonl"
    with answering(routed(FILES | {"GET /v1/batches/batch_1": batch(failed=1)})) as (api, _):
        done = typed(api, "batch", "results", "batch_1", "-o", str(answers))
        assert "1 lines failed" in done.stderr
        typed(api, "batch", "results", "batch_1", "-e", str(failures))
    assert (answers.read_text(), failures.read_text()) == ('{"custom_id": "1"}\n', '{"custom_id": "2"}\n')
    assert sorted(tmp_path.iterdir()) == [failures, answers]


def test_in_the_middle_of_a_batch_the_lines_that_have_ended_are_printed() -> None:
    ended = {"id": "batch_req_1", "line": 1, "custom_id": "1", "status": "completed", "response": {}, "error": None}
    lines = {"data": [ended, {"line": 2, "response": None, "error": None}], "cursor": "2", "has_more": False}
    routes = {"GET /v1/batches/batch_1": batch("in_progress"), "GET /v1/batches/batch_1/lines": lines}
    with answering(routed(routes)) as (api, _):
        done = typed(api, "batch", "results", "batch_1")
        assert typed(api, "batch", "results", "batch_1", "-o", "x").exit_code == 2
    assert json.loads(done.stdout) == {"id": "batch_req_1", "custom_id": "1", "response": {}, "error": None}


def test_a_batch_is_cancelled_and_its_failed_lines_run_anew() -> None:
    routes = {
        "POST /v1/batches/batch_1/cancel": batch("cancelling"),
        "POST /v1/batches/batch_1/retry": batch("validating") | {"id": "batch_2"},
    }
    with answering(routed(routes)) as (api, _):
        assert typed(api, "batch", "cancel", "batch_1").stdout == "batch_1 cancelling\n"
        assert typed(api, "batch", "retry", "batch_1").stdout == "batch_2\n"


@pytest.mark.parametrize("document", [{}, {"id": 1}, batch() | {"request_counts": "x"}])
def test_what_is_no_batch_is_said(document: dict[str, Any]) -> None:
    with answering(routed({"GET /v1/batches/batch_1": document})) as (api, _):
        refused = typed(api, "batch", "status", "batch_1")
    assert (refused.exit_code, refused.stderr[:8]) == (1, "respool:")
