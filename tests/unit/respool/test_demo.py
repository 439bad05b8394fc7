from dataclasses import replace
from queue import SimpleQueue
from typing import Any

import pytest

from jobs.webhooks.secrets import new_secret
from respool import demo
from respool.demo import EXAMPLE, DemoFailed, check, check_webhook, clip, demo_environment, film_analysis, take_webhook
from respool.demo_receiver import Received, Receiver
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
    found = {name: value for name, value in demo_environment().items() if name.startswith("RESPOOL_")}
    assert found == {"RESPOOL_WEBHOOK_ALLOW": "127.0.0.1/32"}


def test_the_webhook_must_tell_of_the_films_job() -> None:
    event = {"type": "response.completed", "data": {"respool": {"job_id": FILM.id}}}
    check_webhook(event, FILM)
    with pytest.raises(DemoFailed, match="should tell"):
        check_webhook(event | {"type": "response.failed"}, FILM)
    with pytest.raises(DemoFailed, match="should tell"):
        check_webhook(event, replace(FILM, id="job_2"))


def test_no_webhook_or_a_forged_one_fails_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo, "WEBHOOK_SECONDS", 0.0)
    receiver = Receiver(url="http://127.0.0.1:1/webhooks", received=SimpleQueue())
    with pytest.raises(DemoFailed, match="no webhook came"):
        take_webhook(receiver, secret=new_secret())
    receiver.received.put(Received(headers={"webhook-signature": "v1,forged"}, body=b"{}"))
    with pytest.raises(DemoFailed, match="cannot be trusted"):
        take_webhook(receiver, secret=new_secret())
