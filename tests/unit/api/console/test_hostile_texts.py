"""Whatever others wrote, wherever it turns up, is text; and however much, the page stays one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from jobs.closings import End
from tests.factories import MODEL
from tests.fakes.bench import ANSWERED, FAILED, Bench
from tests.unit.api.conftest import AppMaker, Caller
from tests.unit.api.console.conftest import Come, Person
from tests.unit.api.files import uploaded

EVIL = "'\"><script>alert(1)</script><img src=x onerror=alert(1)>"
EVIL_PATH = "'><script>alert(1)</script><svg/onload=alert(1)>"
LIVE = ("<script>alert", "<img src=x", "<svg")


@pytest.fixture
def app(make_app: AppMaker, tmp_path: Path) -> Flask:
    return make_app(files_folder=tmp_path / "files")


@pytest.fixture
def person(come: Come, app: Flask) -> Person:
    return come("alice")


def assert_text(person: Person, path: str) -> str:
    """The page, where the text shows and nothing of it lives."""
    page = person.get(path).text
    assert "&lt;script&gt;alert" in page, path
    assert not [each for each in LIVE if each in page], path
    return page


def ended_with(bench: Bench, alice: Caller, end: End, *, request: dict[str, Any] | None = None) -> str:
    """The id of a job that ended so."""
    job = str(alice.job(request=request or {})["id"])
    bench.beat("w1")
    bench.dispatch()
    (claim,) = bench.claim()
    bench.runs().finish(claim, end, ANSWERED if end.status == "completed" else replace(FAILED, error=end.error))
    return job


def answer(*items: dict[str, Any]) -> End:
    return End(status="completed", response=json.dumps({"id": "resp_x", "output": items}).encode())


def said(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]}


def test_of_a_model(person: Person, alice: Caller, bench: Bench) -> None:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": EVIL}]}
    job = ended_with(bench, alice, answer(said(EVIL), thought, {"type": EVIL, EVIL: EVIL}))
    assert assert_text(person, f"/console/jobs/{job}").count("&lt;script&gt;alert") >= 4
    assert person.get(f"/console/jobs/{job}/response.json").mimetype == "application/json"


def test_of_an_endpoint_that_refuses(person: Person, alice: Caller, bench: Bench) -> None:
    end = End(status="failed", error={"code": EVIL, "message": EVIL, "retryable": False})
    assert_text(person, f"/console/jobs/{ended_with(bench, alice, end)}")


def test_of_a_request(person: Person, alice: Caller) -> None:
    parts = [
        {"type": "input_text", "text": EVIL},
        {"type": "input_image", "image_url": f"https://e.com/{EVIL_PATH}"},
        {"type": "input_file", "file_url": f"https://e.com/{EVIL_PATH}", "filename": EVIL},
    ]
    request = {"input": [{"role": "user", "content": parts}], "instructions": EVIL, "metadata": {EVIL[:60]: EVIL}}
    job = alice.job(request=request)["id"]
    for path in (f"/console/jobs/{job}", f"/console/jobs/{job}?show=https://e.com", "/console/jobs"):
        assert_text(person, path)


def test_of_a_model_that_is_named(person: Person, come: Come, alice: Caller, bench: Bench) -> None:
    bench.client.hset("{respool}:job:" + alice.job()["id"].removeprefix("job_"), "model", EVIL)
    assert_text(person, "/console/jobs")


def test_of_a_file_name(person: Person, alice: Caller) -> None:
    file = uploaded(alice, b"\x89PNG\r\n\x1a\n", filename=EVIL.replace("/", "∕") + "é.png")
    page = person.get("/console/files").text
    assert (file["id"] in page, [each for each in LIVE if each in page]) == (True, [])
    content = person.get(f"/console/files/{file['id']}/content")
    assert (content.status_code, content.headers["X-Content-Type-Options"]) == (200, "nosniff")


def test_of_a_webhook(person: Person, alice: Caller) -> None:
    alice.post("/v1/webhook_endpoints", json={"url": f"https://e.com/{EVIL_PATH}", "description": EVIL})
    assert_text(person, "/console/webhooks")
    job = alice.job(webhook={"url": f"https://e.com/?{EVIL_PATH}", "secret": "whsec_" + "A" * 43 + "="})["id"]
    assert_text(person, f"/console/jobs/{job}")


@pytest.mark.parametrize(
    "path", ["/console/jobs?model=", "/console/jobs?id=", "/console/jobs?metadata=", "/console/jobs?since=",
             "/console/submit?model=", "/console/"],
)  # fmt: skip
def test_of_an_address(path: str, person: Person) -> None:
    page = person.get(path + EVIL).text
    assert not [each for each in LIVE if each in page]


def test_of_a_form(person: Person, come: Come) -> None:
    names = ("prompt", "instructions", "metadata", "webhook", "json", "medium_url", "file_id", "priority", "fps")
    for name in names:
        page = person.post("/console/submit", {"model": MODEL, "max_attempts": "x", name: EVIL}).text
        assert not [each for each in LIVE if each in page], name
    chief = come("operators", "admin")
    for path, field in (("keys", "project"), ("projects", "project"), ("projects", "weight")):
        page = chief.post(f"/console/{path}", {"project": "films", field: EVIL})
        assert (page.status_code, [each for each in LIVE if each in page.text]) == (400, [])


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "1" * 5000, "²", "--1", "0x10"])
def test_a_number_that_is_none_is_told(value: str, person: Person, come: Come) -> None:
    chief = come("operators", "admin")
    for name in ("weight", "max_queued", "cost_per_day"):
        assert chief.post("/console/projects", {"project": "films", name: value}).status_code == 400
    for name in ("fps", "priority", "max_attempts", "max_output_tokens"):
        form = {"model": MODEL, "prompt": "x", "medium_url": "https://e.com/a.mp4", name: value}
        assert person.post("/console/submit", form).status_code == 400, name


def test_a_huge_answer_is_shown_in_part_and_saved_whole(person: Person, alice: Caller, bench: Bench) -> None:
    text = "long " * 3_000_000
    job = ended_with(bench, alice, answer(said(text)))
    page = person.get(f"/console/jobs/{job}")
    assert len(page.data) < 700_000
    assert "It goes on; the whole can be saved" in page.text
    saved = person.get(f"/console/jobs/{job}/response.json")
    assert saved.json["output"][0]["content"][0]["text"] == text
    assert saved.headers["Content-Disposition"] == f'attachment; filename="{job}-response.json"'


def test_ten_thousand_items_are_shown_in_part(person: Person, alice: Caller, bench: Bench) -> None:
    items = [{"type": "web_search_call", "id": f"ws_{i}", "status": "completed"} for i in range(10_000)]
    page = person.get(f"/console/jobs/{ended_with(bench, alice, answer(*items))}")
    assert len(page.data) < 700_000
    assert "And 9,800 other items." in page.text


def test_a_huge_request_is_shown_in_part_and_saved_whole(person: Person, alice: Caller) -> None:
    parts = [{"type": "input_text", "text": f"{i} " + "x" * 1000} for i in range(5000)]
    job = alice.job(request={"input": [{"role": "user", "content": parts}]})["id"]
    page = person.get(f"/console/jobs/{job}")
    assert len(page.data) < 700_000
    assert "other parts." in page.text
    assert person.get(f"/console/jobs/{job}/request.json").json["input"][0]["content"] == parts


def test_a_form_may_carry_as_much_as_the_api_takes(person: Person, alice: Caller) -> None:
    answer = person.post("/console/submit", {"model": MODEL, "prompt": "x" * 2_000_000})
    assert answer.status_code == 303


def test_a_form_of_nobody_is_short(person: Person) -> None:
    anonymous = Person(client=person.client.application.test_client(), text="", key=person.key)
    assert anonymous.post("/console/sign-in", {"key": "x" * 2_000_000}).status_code == 413
