from typing import Any

from respool.job_view import read_job
from respool.show import lines
from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed

ATTEMPT = {
    "number": 1, "started_at": 10.0, "finished_at": 12.5, "outcome": "unknown", "http_status": 502,
    "may_be_billed": True, "error": {"code": "bad_gateway", "message": "no\x1b answer"},
}  # fmt: skip
JOB: dict[str, Any] = {
    "id": "job_1", "status": "failed", "model": "m", "project": "film", "created_at": 1.0, "attempts": [ATTEMPT],
    "waiting_reason": None, "metadata": {"customer": "42"}, "error": {"code": "c", "message": "m"},
    "response": {"output": [{"type": "message", "content": [{"type": "output_text", "text": "Hello"}]}]},
    "usage": {"total_tokens": 5}, "cost": None, "webhook": {"url": "https://hooks.example"},
}  # fmt: skip


def test_all_of_a_job_is_shown_with_its_answer_last() -> None:
    told = list(lines(read_job(JOB)))
    assert told[0] == "job:       job_1"
    assert "why:       c: m" in told
    assert 'metadata:  {"customer": "42"}' in told
    assert "webhook:   https://hooks.example" in told
    assert told[-3:] == ["tokens: 5 total", "", "Hello"]


def test_an_attempt_tells_what_came_of_it_and_whether_it_may_be_billed() -> None:
    (line,) = [line for line in lines(read_job(JOB)) if line.startswith("attempt ")]
    assert line.startswith("attempt 1: unknown, at ")
    assert line.endswith(", 2.5 s, HTTP 502, bad_gateway: no\ufffd answer, may be billed")


def test_a_job_is_found_by_its_response_too() -> None:
    with answering(routed({"GET /v1/jobs/job_1": JOB})) as (api, _):
        assert typed(api, "show", "resp_1").stdout.startswith("job:       job_1\n")
        assert typed(api, "show", "job_2").exit_code == 1
