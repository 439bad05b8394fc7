import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress, TextColumn

from respool.displays import Bars, Lines, state, summary, taken
from respool.job_view import JobView

RUNNING = JobView(
    document={},
    id="job_1",
    status="in_progress",
    model="m",
    created_at=0.0,
    attempts=1,
    waiting_reason=None,
    text="",
    why=None,
    usage={},
)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "job_1 in_progress attempt 1"),
        ({"status": "queued", "attempts": 0, "waiting_reason": "paused"}, "job_1 queued (paused)"),
        ({"status": "queued", "attempts": 2, "waiting_reason": "retry_at"}, "job_1 queued attempt 2 (retry_at)"),
    ],
)
def test_a_line_says_where_the_job_is(changes: dict[str, Any], line: str) -> None:
    assert state(replace(RUNNING, **changes)) == line


def test_a_summary_holds_the_end_the_text_and_what_was_used() -> None:
    usage = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5, "output_tokens_details": {}}
    job = replace(RUNNING, status="incomplete", attempts=2, text="Hello", why="max_output_tokens", usage=usage)
    assert summary(job).splitlines() == [
        "job_1 incomplete, 2 attempts: max_output_tokens",
        "Hello",
        "tokens: 3 input, 2 output, 5 total",
    ]


def test_without_a_terminal_only_changes_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines()
    for job in (RUNNING, RUNNING, replace(RUNNING, status="completed")):
        lines.show(job)
    assert capsys.readouterr().err.splitlines() == ["job_1 in_progress attempt 1", "job_1 completed attempt 1"]


def test_a_bar_swings_while_the_job_runs_and_is_full_at_its_end() -> None:
    console = Console(file=io.StringIO())
    progress = Progress(TextColumn("{task.description}", markup=False), console=console)
    bars = Bars(progress, ["job_1"])
    (task,) = progress.tasks
    bars.show(RUNNING)
    assert task.total is None
    bars.show(replace(RUNNING, status="failed"))
    assert task.finished
    assert task.description == "job_1 failed attempt 1"


def test_the_place_of_a_queued_job_is_told() -> None:
    queued = replace(RUNNING, status="queued", attempts=0, position=3, starts_in_seconds=40.0)
    assert state(queued) == "job_1 queued (position 3, starts in about 40 s)"


def test_what_it_cost_is_told_where_it_is_known() -> None:
    usage = {"total_tokens": 5}
    assert taken(replace(RUNNING, usage=usage, document={"cost": 0.25, "currency": "USD"})) == [
        "tokens: 5 total; cost: 0.25 USD"
    ]
    assert taken(replace(RUNNING, usage=usage, document={"cost": None})) == ["tokens: 5 total"]
    assert taken(RUNNING) == []
