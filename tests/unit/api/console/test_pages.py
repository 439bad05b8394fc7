import base64
from typing import Any

import pytest
import redis

from api.app import create_app
from jobs import keys
from jobs.lanes import lane_of
from jobs.record import SCHEMA
from jobs.settings import Settings
from tests.factories import MODEL
from tests.unit.api.conftest import Caller
from tests.unit.api.console.conftest import Come, Person

PICTURE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def data_uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def request_with(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"request": {"model": MODEL, "input": [{"role": "user", "content": list(parts)}]}}


def submitted(caller: Caller, *parts: dict[str, Any]) -> str:
    answer = caller.post("/v1/jobs", json=request_with(*parts))
    assert answer.status_code == 202, answer.text
    return str(answer.json["id"])


@pytest.fixture
def person(come: Come) -> Person:
    return come("alice")


@pytest.mark.parametrize(
    "path", ["/", "/?span=day", "/?span=week", "/?span=x", "/console/jobs", "/console/webhooks", "/console/submit",
             "/console/files"],
)  # fmt: skip
def test_a_page_of_nothing_says_what_to_do(path: str, person: Person) -> None:
    assert person.get(path).status_code == 200


def test_the_page_of_jobs_shows_those_beside_one_that_a_newer_release_wrote(
    person: Person, alice: Caller, store_client: redis.Redis
) -> None:
    shown, newer = str(alice.job()["id"]), str(alice.job()["id"])
    store_client.hset(keys.job(newer.removeprefix("job_")), "schema", SCHEMA + 1)
    page = person.get("/console/jobs")
    assert page.status_code == 200
    assert f"/console/jobs/{shown}" in page.text
    assert f"/console/jobs/{newer}" not in page.text
    assert newer in page.text


def test_the_form_submits_what_the_api_would_take(person: Person, alice: Caller) -> None:
    form = {"model": MODEL, "prompt": "What?", "kind": "image", "medium_url": "https://e.com/a.png", "stream": "on",
            "priority": "7", "metadata": "customer=42\nfilm=b", "max_output_tokens": "9"}  # fmt: skip
    answer = person.post("/console/submit", form)
    assert answer.status_code == 303
    job = alice.get(f"/v1/jobs/{answer.location.rpartition('/')[2]}").json
    assert (job["project"], job["api_key"], job["priority"]) == ("alice", person.key.id, 7)
    assert job["metadata"] == {"customer": "42", "film": "b"}


def test_a_mistake_in_the_form_is_told_with_what_was_typed(person: Person) -> None:
    answer = person.post("/console/submit", {"model": MODEL, "prompt": EVIL, "priority": "99", "max_attempts": "x"})
    assert answer.status_code == 400
    assert "max_attempts" in answer.text
    assert EVIL not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_an_estimate_makes_no_job(person: Person, alice: Caller) -> None:
    answer = person.post("/console/submit", {"model": MODEL, "prompt": "Hello", "do": "estimate"})
    assert "Estimated:" in answer.text
    assert alice.get("/v1/jobs").json["data"] == []


def test_what_people_and_models_wrote_is_text_everywhere(person: Person, alice: Caller) -> None:
    body = {"request": {"model": MODEL, "input": EVIL, "instructions": EVIL}, "metadata": {EVIL[:60]: EVIL}}
    job = alice.post("/v1/jobs", json=body).json["id"]
    for path in (f"/console/jobs/{job}", "/console/jobs", f"/console/jobs?model={EVIL}", f"/console/jobs?id={EVIL}"):
        assert "<script>alert" not in person.get(path).text
        assert "<img src=x" not in person.get(path).text


def test_a_job_is_found_by_any_form_of_its_id(person: Person, alice: Caller) -> None:
    job = alice.job()["id"]
    for typed in (job, job.replace("job_", "resp_"), job.removeprefix("job_"), f" {job} "):
        assert person.get("/console/jobs", query_string={"id": typed}).location == f"/console/jobs/{job}"
    assert "An id is job_" in person.get("/console/jobs?id=job_x").text


def test_the_list_shows_what_its_filters_ask_for(person: Person, alice: Caller) -> None:
    one = alice.job(metadata={"customer": "1"})["id"]
    other = alice.job(metadata={"customer": "2"})["id"]
    page = person.get("/console/jobs?metadata=customer%3D1&status=queued&since=2020-01-01T00:00").text
    assert (one in page, other in page) == (True, False)
    assert "No job is like that" in person.get("/console/jobs?status=failed").text
    assert "must be KEY=VALUE" in person.get("/console/jobs?metadata=x").text
    assert "must be a date" in person.get("/console/jobs?since=x").text


def test_a_job_is_cancelled_and_forgotten(person: Person, alice: Caller) -> None:
    job = alice.job()["id"]
    assert person.post(f"/console/jobs/{job}/cancel").location == f"/console/jobs/{job}"
    assert alice.get(f"/v1/jobs/{job}").json["status"] == "cancelled"
    assert "cancelled before an answer came" in person.get(f"/console/jobs/{job}").text
    person.post(f"/console/jobs/{job}/delete")
    assert alice.get(f"/v1/jobs/{job}").status_code == 404


def test_a_job_that_has_not_failed_is_not_retried_and_the_page_says_why(person: Person, alice: Caller) -> None:
    answer = person.post(f"/console/jobs/{alice.job()['id']}/retry")
    assert (answer.status_code, "Only a job that failed can be retried" in answer.text) == (400, True)


def test_what_belongs_to_another_project_is_not_here(come: Come, alice: Caller) -> None:
    job = alice.post(
        "/v1/jobs", json=request_with({"type": "input_image", "image_url": data_uri(PICTURE, "image/png")})
    )
    number, stranger = job.json["id"], come("bob")
    for path in ("", "/media/0"):
        assert stranger.get(f"/console/jobs/{number}{path}").status_code == 404
    assert stranger.get(f"/console/live/jobs/{number}").status_code == 404
    for do in ("cancel", "retry", "delete"):
        assert stranger.post(f"/console/jobs/{number}/{do}").status_code == 404
    assert number not in stranger.get("/console/jobs").text
    assert alice.get(f"/v1/jobs/{number}").json["status"] == "queued"


def test_a_medium_of_the_request_is_handed_out_only_where_no_browser_would_run_it(
    person: Person, alice: Caller
) -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    job = submitted(
        alice,
        {"type": "input_image", "image_url": data_uri(PICTURE, "image/png")},
        {"type": "input_image", "image_url": data_uri(svg, "image/svg+xml")},
    )  # fmt: skip
    good, odd = (person.get(f"/console/jobs/{job}/media/{index}") for index in (0, 1))
    assert (good.mimetype, good.data) == ("image/png", PICTURE)
    assert (odd.mimetype, odd.headers["Content-Disposition"].split(";")[0]) == (
        "application/octet-stream",
        "attachment",
    )
    for answer in (good, odd):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert person.get(f"/console/jobs/{job}/media/2").status_code == 404


def test_media_of_another_host_are_allowed_only_if_asked_for_and_named_by_the_request(
    person: Person, alice: Caller
) -> None:
    job = submitted(alice, {"type": "input_video", "video_url": "https://films.example/a.mp4"})
    plain = person.get(f"/console/jobs/{job}")
    shown = person.get(f"/console/jobs/{job}?show=https://films.example")
    other = person.get(f"/console/jobs/{job}?show=https://evil.example")
    assert "<video" not in plain.text
    assert 'src="https://films.example/a.mp4"' in shown.text
    assert "media-src 'self' https://films.example;" in shown.headers["Content-Security-Policy"]
    for answer in (plain, other):
        assert "https://" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/console/projects", "/console/keys"])
def test_the_pages_of_admins_are_theirs_alone(path: str, person: Person, come: Come) -> None:
    refused = person.get(path)
    assert (refused.status_code, "Only an admin key" in refused.text) == (403, True)
    assert path not in person.get("/").text
    chief = come("operators", "admin")
    assert chief.get(path).status_code == 200
    assert path in chief.get("/").text


@pytest.mark.parametrize(
    "path", ["/console/projects", "/console/keys", "/console/keys/key_x/revoke", "/console/lanes/default:m/pause",
             "/console/lanes/default:m/resume"],
)  # fmt: skip
def test_what_admins_do_others_cannot(path: str, person: Person) -> None:
    assert person.post(path, {"project": "mine", "role": "admin", "weight": "9"}).status_code == 403


def test_a_key_is_made_shown_once_used_and_revoked(come: Come, app: Any) -> None:
    chief = come("operators", "admin")
    page = chief.post("/console/keys", {"project": "films", "role": "member"}).text
    text = page.partition('class="secret">')[2].partition("<")[0]
    member = Caller(app.test_client(), text)
    assert member.job()["project"] == "films"
    assert text not in chief.get("/console/keys").text
    key_id = page.partition('class="note good" role="status"><p>')[2].partition(" ")[0]
    chief.post(f"/console/keys/{key_id}/revoke")
    assert member.get("/v1/jobs").status_code == 401
    assert chief.post("/console/keys", {"project": "No Name"}).status_code == 400
    assert chief.post("/console/keys/key_none/revoke").status_code == 404


def test_limits_of_a_project_are_set_and_taken_away(come: Come, admin: Caller) -> None:
    chief = come("operators", "admin")
    form = {"project": "films", "weight": "2.5", "max_queued": "1,000", "cost_per_day": "5"}
    assert chief.post("/console/projects", form).status_code == 303
    limits = admin.get("/v1/projects/films").json["limits"]
    assert (limits["weight"], limits["max_queued"], limits["cost_per_day"]) == (2.5, 1000, 5)
    chief.post("/console/projects", {"project": "films"})
    assert admin.get("/v1/projects/films").json["limits"]["max_queued"] is None
    wrong = chief.post("/console/projects", {"project": "films", "max_queued": "many"})
    assert (wrong.status_code, "max_queued" in wrong.text) == (400, True)


def test_a_lane_is_paused_and_resumed(come: Come, admin: Caller) -> None:
    chief, lane = come("operators", "admin"), lane_of(MODEL, account="default")
    chief.post(f"/console/lanes/{lane}/pause", {"reason": "maintenance"})
    assert admin.get(f"/v1/lanes/{lane}").json["reason"] == "maintenance"
    chief.post(f"/console/lanes/{lane}/resume")
    assert admin.get(f"/v1/lanes/{lane}").json["state"] == "open"


def test_an_endpoint_is_registered_with_its_secret_shown_once_and_steered(person: Person, alice: Caller) -> None:
    page = person.post("/console/webhooks", {"url": "https://example.com/hook", "description": "films"}).text
    secret = page.partition('class="secret">')[2].partition("<")[0]
    assert secret.startswith("whsec_")
    assert secret not in person.get("/console/webhooks").text
    (endpoint,) = alice.get("/v1/webhook_endpoints").json["data"]
    person.post(f"/console/webhooks/{endpoint['id']}/test")
    (delivery,) = alice.get("/v1/webhook_deliveries").json["data"]
    person.post(f"/console/webhooks/{endpoint['id']}/disable")
    assert alice.get(f"/v1/webhook_endpoints/{endpoint['id']}").json["status"] == "disabled"
    assert "cancelled" in person.get("/console/webhooks?status=dead").text
    person.post(f"/console/webhooks/{endpoint['id']}/enable")
    person.post(f"/console/deliveries/{delivery['id']}/replay")
    assert alice.get(f"/v1/webhook_deliveries/{delivery['id']}").json["status"] == "pending"
    person.post(f"/console/webhooks/{endpoint['id']}/delete")
    assert alice.get("/v1/webhook_endpoints").json["data"] == []
    assert person.post(f"/console/webhooks/{endpoint['id']}/dance").status_code == 404
    assert person.post("/console/webhooks", {"url": "ftp://x"}).status_code == 400


def test_the_addresses_of_webhooks_are_shown_as_they_were_given(person: Person, alice: Caller) -> None:
    job = alice.job(webhook={"url": "https://example.com/of-a-job?for=me", "secret": "whsec_" + "A" * 43 + "="})
    assert "https://example.com/of-a-job?for=me" in person.get(f"/console/jobs/{job['id']}").text
    alice.post("/v1/webhook_endpoints", json={"url": "https://example.com/of-all?for=me"})
    assert "https://example.com/of-all?for=me" in person.get("/console/webhooks").text


def test_a_page_that_is_not_there_is_told_as_a_page(person: Person) -> None:
    answer = person.get("/console/nothing")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")


def test_the_stream_of_a_job_tells_its_parts_and_its_end(person: Person, alice: Caller) -> None:
    job = alice.job()["id"]
    alice.post(f"/v1/jobs/{job}/cancel")
    told = person.get(f"/console/live/jobs/{job}").text
    kinds = [line.removeprefix("event: ") for line in told.splitlines() if line.startswith("event: ")]
    assert kinds == ["begin", "parts", "over"]
    assert "cancelled" in told


def test_a_store_that_is_away_is_told_as_a_page_with_what_to_do() -> None:
    client = create_app(Settings(redis_url="redis://127.0.0.1:1")).test_client()
    client.set_cookie("respool_note", "x")
    answer = client.get("/console/jobs")
    assert (answer.status_code, answer.mimetype) == (503, "text/html")
    assert "respool doctor" in answer.text
