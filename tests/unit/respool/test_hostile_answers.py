"""Every command against a service that answers with anything but what was agreed."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import Answer, Request, answering

COMMANDS = [
    line.split()
    for line in """\
jobs
jobs --json
show job_1
show job_1 --json
cancel job_1
retry job_1 --json
watch job_1
watch job_1 --json
watch job_1 job_2
submit FILE
submit FILE --watch
submit FILE --dry-run
submit --prompt x
submit --model m --video FILE
usage
usage --json
usage --csv
lanes list
lanes pause x
lanes resume x
lanes set x --burst 1 --reason r
projects list
projects set x --weight 1
webhooks endpoints
webhooks add https://h
webhooks enable x
webhooks test x
webhooks deliveries
webhooks deliveries --job x
webhooks replay x
webhooks replay --since 1h
batch submit FILE
batch status
batch status x
batch status x --watch
batch results x
batch cancel x
batch retry x
doctor
doctor --json
""".splitlines()
]
STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
HOSTILE = "\x1b[2J\x1b]0;title\x07\x9b1m\u202e\nrespool: all is well"
ANSWERS: dict[str, tuple[int, dict[str, str], Any]] = {
    "a page": (200, {"Content-Type": "text/html"}, b"<html>hello</html>"),
    "a page as an error": (500, {"Content-Type": "text/html"}, b"<html>oops</html>"),
    "nothing": (200, {}, b""),
    "a list": (200, {}, b"[]"),
    "entries that are none": (200, {}, {"data": [1, None]}),
    "no entries": (200, {}, {"data": None}),
    "more depth than can be read": (200, {}, b"[" * 200_000),
    "what is no compression": (200, {"Content-Encoding": "gzip"}, b"{}"),
    "another place": (302, {"Location": f"http://h/{HOSTILE[:4]}"}, {}),
    "steering": (400, {}, {"error": {"message": HOSTILE, "param": HOSTILE, "code": HOSTILE}}),
}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text(json.dumps({"model": "m", "input": "x"}))
    return tmp_path


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_no_command_crashes_or_lets_the_service_steer_the_terminal(answer: Answer) -> None:
    with answering(lambda *_: answer) as (api, _):
        for command in COMMANDS:
            done = typed(api, *command)
            assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exception)
            assert not STEERING.search(done.output), (command, done.output)
            assert "\nrespool: all is well" not in done.output, command


@pytest.mark.parametrize("document", [{}, {"id": "another", "status": "completed"}])
def test_what_was_not_asked_for_is_never_taken_for_it(document: dict[str, Any]) -> None:
    commands = ["show job_1", "watch job_1", "watch job_1 job_2", "batch status x --watch", "webhooks enable x"]
    with answering(lambda *_: (200, {}, {"id": None} | document if document else {})) as (api, _):
        assert {typed(api, *command.split()).exit_code for command in commands[: 4 if document else 5]} == {1}


def test_a_job_that_is_another_is_refused() -> None:
    job = {
        "id": "job_2", "status": "completed", "model": "m", "created_at": 1, "attempts": [], "response": None,
        "waiting_reason": None, "error": None, "usage": None,
    }  # fmt: skip
    with answering(lambda *_: (200, {}, job)) as (api, _):
        done = typed(api, "watch", "job_1", "--json")
    assert (done.exit_code, done.stderr) == (1, "respool: the service answered with another job\n")


def test_a_page_is_told_from_a_service() -> None:
    with answering(lambda *_: ANSWERS["a page"]) as (api, _):
        assert "text/html, which is no JSON object; is it a respool?" in typed(api, "jobs").stderr


def test_a_redirect_is_told_with_the_place_it_leads_to() -> None:
    with answering(lambda *_: (301, {"Location": "https://respool.example/v1/jobs"}, {})) as (api, asked):
        assert "redirects to https://respool.example/v1/jobs" in typed(api, "jobs").stderr
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_does_not_lead_out_of_its_place(name: str) -> None:
    def answer(number: int, request: Request) -> Answer:
        raise AssertionError(f"{number}: {request.path}")

    with answering(answer) as (api, asked):
        assert typed(api, "show", name).exit_code == 1
        assert typed(api, "webhooks", "remove", name).exit_code == 1
    assert asked == []


def test_an_answer_whose_service_gives_no_stream_is_shown_at_its_end() -> None:
    message = {"type": "message", "content": [{"type": "output_text", "text": "At last."}]}
    job = {
        "id": "job_1", "status": "completed", "model": "m", "created_at": 1, "attempts": [], "waiting_reason": None,
        "response": {"output": [message]}, "error": None, "usage": None,
    }  # fmt: skip
    with answering(lambda *_: (200, {}, job)) as (api, asked):
        assert typed(api, "watch", "job_1").stdout == "At last.\n"
    assert len([request for request in asked if "stream" in request.path]) == 1
