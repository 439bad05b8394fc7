import json
from pathlib import Path

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import answering, query, routed

JOB = {
    "id": "job_1", "status": "queued", "model": "m", "created_at": 1.0, "attempts": [], "waiting_reason": None,
    "response": None, "error": None, "usage": None,
}  # fmt: skip
ROUTES = {
    "POST /v1/jobs": (202, {}, JOB),
    "POST /v1/files": {"id": "file-1"},
    "GET /v1/models": {"data": [{"id": "m-1"}, {"id": "m-2"}]},
}


def test_options_become_a_request_with_the_video_uploaded(tmp_path: Path) -> None:
    film = tmp_path / "film.mp4"
    film.write_bytes(b"film")
    with answering(routed(ROUTES)) as (api, asked):
        done = typed(
            api, "submit", "-m", "m", "-p", "Why?", "--video", str(film), "--fps", "2", "--priority", "9",
            "--metadata", "customer=42", "--webhook", "https://hooks.example", "--key", "k-1",
        )  # fmt: skip
    assert (done.exit_code, done.stdout) == (0, "job_1\n")
    assert json.loads(asked[1].body) == {
        "request": {
            "model": "m",
            "input": [
                {
                    "role": "user",
                    "content": [
                        {"type": "input_video", "file_id": "file-1", "fps": 2},
                        {"type": "input_text", "text": "Why?"},
                    ],
                }
            ],
            "stream": True,
        },
        "metadata": {"customer": "42"},
        "priority": 9,
        "webhook": {"url": "https://hooks.example"},
    }
    assert asked[1].headers["Idempotency-Key"] == "k-1"


def test_a_question_may_come_from_standard_input() -> None:
    with answering(routed(ROUTES)) as (api, asked):
        assert typed(api, "submit", "-m", "m", "-p", "-", stdin="Why?\n").exit_code == 0
    assert json.loads(asked[0].body)["request"]["input"] == "Why?\n"


def test_what_stands_beside_a_file_wins() -> None:
    job = {"request": {"model": "m", "input": "x"}, "priority": 1, "max_attempts": 2}
    with answering(routed(ROUTES)) as (api, asked):
        assert typed(api, "submit", "-", "--priority", "7", "--json", stdin=json.dumps(job)).exit_code == 0
    assert json.loads(asked[0].body) == job | {"priority": 7}


def test_without_a_model_those_of_the_service_are_named() -> None:
    with answering(routed(ROUTES)) as (api, asked):
        refused = typed(api, "submit", "-p", "x")
    assert (refused.exit_code, len(asked)) == (2, 1)
    assert "m-1, m-2" in refused.stderr


def test_a_dry_run_stores_nothing() -> None:
    with answering(routed({"POST /v1/jobs": {"object": "job.estimate"}})) as (api, asked):
        done = typed(api, "submit", "-m", "m", "-p", "x", "--dry-run")
    assert query(asked[0]) == {"dry_run": "true"}
    assert json.loads(done.stdout) == {"object": "job.estimate"}


def test_a_mistake_is_told_in_one_line_with_its_field() -> None:
    error = {"error": {"message": "must be at most 1", "param": "request.top_p", "code": "invalid_value"}}
    with answering(routed({"POST /v1/jobs": (400, {}, error)})) as (api, _):
        refused = typed(api, "submit", "-m", "m", "-p", "x")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "respool: refused (400): request.top_p: must be at most 1\n"


@pytest.mark.parametrize(("status", "code"), [("completed", 0), ("failed", 1)])
def test_watched_it_ends_as_the_job_does(status: str, code: int) -> None:
    routes = ROUTES | {"GET /v1/jobs/job_1": JOB | {"status": status}}
    with answering(routed(routes)) as (api, _):
        assert typed(api, "submit", "-m", "m", "-p", "x", "--watch").exit_code == code
