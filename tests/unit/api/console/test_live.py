import json
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from api.console.frames import frame
from api.console.live import Shown
from api.services import EXTENSION
from jobs.tenants import Tenants
from tests.unit.api.conftest import Caller
from tests.unit.api.console.conftest import Come, Person


@contextmanager
def stream(person: Person, path: str) -> Iterator[Iterator[dict[str, str]]]:
    """The parts of a page as they come."""
    answer: TestResponse = person.client.get(path, headers={"Accept": "text/event-stream"}, buffered=False)
    assert answer.mimetype == "text/event-stream"
    try:
        yield (json.loads(piece.partition(b"data: ")[2]) for piece in answer.response if b"event: parts" in piece)  # type: ignore[misc]
    finally:
        answer.close()


def test_a_list_hears_of_a_job_that_ends(come: Come, alice: Caller) -> None:
    job = alice.job()["id"]
    with stream(come("alice"), "/console/live/jobs") as parts:
        assert 'class="status queued"' in next(parts)["jobs"]
        alice.post(f"/v1/jobs/{job}/cancel")
        assert 'class="status cancelled"' in next(parts)["jobs"]


def test_a_stream_shows_what_its_query_asks_for_and_its_own_project_alone(come: Come, alice: Caller) -> None:
    job = alice.job()["id"]
    for person, query, found in (
        (come("alice"), "", True),
        (come("alice"), "?status=failed", False),
        (come("bob"), "", False),
    ):
        with stream(person, "/console/live/jobs" + query) as parts:
            assert (job in next(parts)["jobs"]) is found


def test_a_stream_of_somebody_whose_key_is_revoked_ends(come: Come, alice: Caller, tenants: Tenants) -> None:
    person = come("alice")
    with stream(person, "/console/live/jobs") as parts:
        next(parts)
        tenants.revoke(person.key.id)
        alice.job()
        assert list(parts) == []


def test_the_overview_tells_lanes_workers_and_numbers(come: Come, alice: Caller) -> None:
    alice.job()
    with stream(come("alice"), "/console/live/overview?span=day") as parts:
        told = next(parts)
    assert set(told) == {"now", "over-time", "by-day", "lanes", "workers"}
    assert "<b>1</b> queued" in told["now"]
    assert "No worker lives" in told["workers"]


def test_only_what_changed_is_told() -> None:
    shown = Shown()
    assert shown.news({"a": "1", "b": "2"}) == frame("parts", {"a": "1", "b": "2"})
    assert shown.news({"a": "1", "b": "3"}) == frame("parts", {"b": "3"})
    assert shown.news({"a": "1", "b": "3"}) == b": ping\n\n"


def test_a_line_break_stays_inside_its_event() -> None:
    assert frame("text", "a\r\nb\n\nevent: x") == b'event: text\ndata: "a\\r\\nb\\n\\nevent: x"\n\n'


def test_an_answer_comes_piece_by_piece_without_what_is_void(
    come: Come, alice: Caller, store_client: redis.Redis
) -> None:
    job = alice.job()["id"]
    number = job.removeprefix("job_")
    for index, (kind, event) in enumerate(
        [("response.output_text.delta", {"delta": "old"}), ("respool:attempt.restarted", {}),
         ("response.output_text.delta", {"delta": "new "}), ("response.output_text.delta", {"delta": "text"})]
    ):  # fmt: skip
        fields = {"type": kind, "event": json.dumps(event)}
        store_client.xadd(f"{{respool}}:log:{number}", fields, id=f"{index + 4}-0")  # type: ignore[arg-type]
    alice.post(f"/v1/jobs/{job}/cancel")
    told = come("alice").get(f"/console/live/jobs/{job}").text
    assert told.index("event: restarted") < told.index('event: text\ndata: "new text"')
    assert "old" not in told


def test_what_two_readers_share_has_the_token_of_each(app: Flask, come: Come, alice: Caller) -> None:
    person, other = come("operators", "admin"), come("operators", "admin")
    alice.post("/v1/webhook_endpoints", json={"url": "https://example.com/hook"})
    tokens = []
    for reader in (person, other):
        with stream(reader, "/console/live/webhooks") as parts:
            told = next(parts)["endpoints"]
        tokens.append(set(re.findall('name="csrf_token" value="([^"]+)"', told)))
        assert tokens[-1] == {reader.token("/")}
        assert app.extensions[EXTENSION].looks.stand_in not in told
    assert tokens[0] != tokens[1]


@pytest.mark.parametrize("path", ["overview", "jobs", "webhooks", "jobs/{job}"])
def test_streams_end_when_their_process_is_to_stop_and_are_asked_for_again(
    path: str, app: Flask, come: Come, alice: Caller
) -> None:
    job = alice.job()["id"]
    person = come("alice")
    answer = person.client.get(f"/console/live/{path.format(job=job)}", buffered=False)
    pieces = iter(answer.response)
    while b"event: parts" not in next(pieces):  # type: ignore[operator]
        pass
    app.extensions[EXTENSION].happenings.close()
    app.extensions[EXTENSION].followers.close()
    assert list(pieces)[-1] == frame("again", {})


def test_a_job_that_is_deleted_ends_its_stream_with_a_word(
    come: Come, alice: Caller, store_client: redis.Redis
) -> None:
    job = alice.job()["id"]
    answer = come("alice").client.get(f"/console/live/jobs/{job}", buffered=False)
    pieces = iter(answer.response)
    while b"event: parts" not in next(pieces):  # type: ignore[operator]
        pass
    store_client.delete("{respool}:job:" + job.removeprefix("job_"))
    assert b"event: refused" in list(pieces)[-1]  # type: ignore[operator]


@pytest.mark.parametrize("path", ["/console/live/jobs/job_x", "/console/live/batches/x", "/console/live/nothing"])
def test_a_stream_of_nothing_says_so_and_is_not_asked_for_again(path: str, come: Come) -> None:
    told = come("alice").get(path, headers={"Accept": "text/event-stream"})
    assert (told.status_code, told.text.startswith("event: refused")) == (200, True)


def test_a_store_that_comes_back_is_told() -> None:
    shown = Shown()
    assert shown.away() == frame("away", {})
    assert shown.news({"a": "1"}) == frame("back", {}) + frame("parts", {"a": "1"})
    assert shown.news({"a": "1"}) == b": ping\n\n"


def test_an_answer_that_is_too_long_to_show_is_cut(come: Come, alice: Caller, store_client: redis.Redis) -> None:
    job = alice.job()["id"]
    for index in range(30):
        fields = {"type": "response.output_text.delta", "event": json.dumps({"delta": "x" * 10_000})}
        store_client.xadd(f"{{respool}}:log:{job.removeprefix('job_')}", fields, id=f"{index + 4}-0")  # type: ignore[arg-type]
    alice.post(f"/v1/jobs/{job}/cancel")
    told = come("alice").get(f"/console/live/jobs/{job}").text
    assert 200_000 <= told.count("x") < 201_000
    assert "too long to be shown here" in told
