import json
from pathlib import Path

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import Request, answering, query, routed

JOB = {"id": "job_1", "metadata": {"customer": "a\x9b\ud800"}}
DAY_SECONDS = 86_400
START_SECONDS = 1_795_392_000
"""Of 2026-11-23, UTC."""


def test_jobs_are_asked_for_by_their_days() -> None:
    with answering(routed({"GET /v1/jobs": {"data": [JOB], "has_more": False}})) as (api, asked):
        assert typed(api, "export", "jobs", "--from", "2026-11-23", "--to", "2026-11-24").exit_code == 0
        bounds = {"created_after": str(START_SECONDS), "created_before": str(START_SECONDS + 2 * DAY_SECONDS)}
        assert query(asked[0]) == {"limit": "100", **bounds}


def test_usage_is_asked_for_day_by_day_from_the_oldest() -> None:
    def answer(_: int, request: Request) -> tuple[int, dict[str, str], object]:
        return (200, {}, {"data": [{"day": query(request)["from"]}]})

    with answering(answer) as (api, asked):
        done = typed(api, "export", "usage", "--from", "2026-11-22", "--to", "2026-11-23")
        assert [json.loads(line)["day"] for line in done.stdout.splitlines()] == ["2026-11-22", "2026-11-23"]
        assert {query(request)["from"] == query(request)["to"] for request in asked} == {True}


def test_a_row_is_one_line_that_steers_no_terminal_and_can_be_read_again() -> None:
    with answering(routed({"GET /v1/jobs": {"data": [JOB], "has_more": False}})) as (api, _):
        line = typed(api, "export", "jobs").stdout
    assert "\x9b" not in line
    assert line.endswith("\n")
    assert json.loads(line) == JOB


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "1969-12-31", "9999-01-01"])
def test_what_is_no_day_is_refused_before_anybody_is_asked(text: str) -> None:
    with answering(routed({})) as (api, asked):
        assert typed(api, "export", "jobs", "--from", text).exit_code == 2
        assert not asked


def test_a_file_takes_its_name_once_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "jobs.ndjson"
    with answering(routed({"GET /v1/jobs": {"data": "text"}})) as (api, _):
        assert typed(api, "export", "jobs", "--output", str(file)).exit_code == 1
    assert list(tmp_path.iterdir()) == []
    with answering(routed({"GET /v1/jobs": {"data": [JOB], "has_more": False}})) as (api, _):
        assert typed(api, "export", "jobs", "--output", str(file)).exit_code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.ndjson"]
    assert file.stat().st_mode & 0o777 == 0o600
