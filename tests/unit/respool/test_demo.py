from dataclasses import replace
from typing import Any

import pytest

from respool.demo import EXAMPLE, DemoFailed, check, clip, film_analysis, own_environment
from respool.job_view import JobView
from schemas.job import job_create_schema

FILM = JobView(
    document={},
    id="job_1",
    status="completed",
    model="m",
    created_at=0.0,
    attempts=1,
    waiting_reason=None,
    text="6 frames",
    why=None,
    usage={},
)
CUT_OFF = replace(FILM, status="incomplete", why="max_output_tokens", usage={"output_tokens": 2})


def test_both_requests_keep_the_contract() -> None:
    for request in (EXAMPLE, film_analysis(b"film")):
        job = {"request": dict(request)}
        schema = job_create_schema(frozenset({request["model"]}), "refuse")
        assert schema.load(job) == job


def test_the_clip_is_a_film_of_the_package() -> None:
    assert clip()[4:8] == b"ftyp"


def test_what_is_expected_passes() -> None:
    check(FILM, CUT_OFF)


@pytest.mark.parametrize(
    ("film", "example"),
    [
        ({"status": "failed"}, {}),
        ({"text": "nothing was seen"}, {}),
        ({}, {"status": "completed"}),
        ({}, {"why": "content_filter"}),
        ({}, {"usage": {"output_tokens": 3}}),
    ],
)
def test_anything_else_fails_the_demo(film: dict[str, Any], example: dict[str, Any]) -> None:
    with pytest.raises(DemoFailed):
        check(replace(FILM, **film), replace(CUT_OFF, **example))


def test_settings_of_this_machine_have_no_part_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESPOOL_UPSTREAM_URL", "https://real.example/v1")
    assert not [name for name in own_environment() if name.startswith("RESPOOL_")]
