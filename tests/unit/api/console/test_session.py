import time

import pytest
import redis
from flask import Flask
from werkzeug.http import parse_cookie

from api.console.door import SIGNED_OUT
from api.console.frames import refusal
from api.console.session import COOKIE, LIFE_SECONDS, Sessions, new_session
from jobs.tenants import Tenants
from tests.unit.api.conftest import AppMaker
from tests.unit.api.console.conftest import ORIGIN, Come, Person


@pytest.fixture
def sessions(store_client: redis.Redis) -> Sessions:
    return Sessions(store_client, secret="")


def test_whoever_did_not_sign_in_is_sent_to_the_form_and_back_to_their_page(come: Come) -> None:
    person = come(signed_in=False)
    away = person.get("/console/jobs?status=failed")
    assert (away.status_code, away.location) == (303, "/console/sign-in?next=/console/jobs?status%3Dfailed")
    assert person.sign_in(next="/console/jobs?status=failed").location == "/console/jobs?status=failed"
    assert person.get("/console/jobs").status_code == 200


@pytest.mark.parametrize(
    "way", ["https://evil.example/", "//evil.example", "/\\evil.example", "/console/\\evil", "/v1/jobs", "x"]
)
def test_signing_in_leads_to_no_place_but_the_console(way: str, come: Come) -> None:
    assert come(signed_in=False).sign_in(next=way).location == "/"


@pytest.mark.parametrize("text", ["", "rsp_wrong", "rsp_" + "x" * 43, "Bearer", "é"])
def test_a_wrong_key_is_told_and_opens_nothing(text: str, come: Come) -> None:
    person = come(signed_in=False)
    answer = person.post("/console/sign-in", {"key": text})
    assert (answer.status_code, "no valid API key" in answer.text) == (401, True)
    assert text not in answer.text or not text
    assert person.get("/").status_code == 303


def test_the_cookie_is_out_of_reach_and_holds_no_key(come: Come) -> None:
    person = come(signed_in=False)
    told = person.sign_in().headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in told.split(";")}
    assert "Secure" not in told
    assert person.text not in told
    assert person.text[4:] not in told


@pytest.mark.parametrize("options", [{"base_url": "https://localhost"}, {"headers": {"X-Forwarded-Proto": "https"}}])
def test_over_https_the_cookie_goes_by_https_alone(options: dict, app: Flask) -> None:
    told = app.test_client().get("/console/sign-in", **options).headers["Set-Cookie"]
    assert "Secure" in {part.strip() for part in told.split(";")}


def test_a_revoked_key_ends_the_session_with_the_next_request(come: Come, tenants: Tenants) -> None:
    person = come()
    assert person.get("/").status_code == 200
    tenants.revoke(person.key.id)
    assert person.get("/").location == "/console/sign-in"
    told = person.get("/console/live/overview", headers={"Accept": "text/event-stream"})
    assert (told.mimetype, told.text) == ("text/event-stream", refusal(SIGNED_OUT).decode())
    script = person.get("/console/files", headers={"Accept": "application/json"})
    assert (script.status_code, script.mimetype) == (401, "application/json")


def test_the_development_key_signs_in_and_its_change_ends_its_sessions(make_app: AppMaker) -> None:
    apps = [make_app(api_key=key, secret="one-secret") for key in ("first", "second")]
    client = apps[0].test_client()
    person = Person(client=client, text="first", key=None)  # type: ignore[arg-type]
    assert person.sign_in().status_code == 303
    kept = client.get_cookie(COOKIE)
    assert kept is not None
    other = apps[1].test_client()
    other.set_cookie(COOKIE, kept.value)
    assert (client.get("/").status_code, other.get("/").status_code) == (200, 303)


def test_signing_out_takes_the_cookie_away(come: Come) -> None:
    person = come()
    answer = person.post("/console/sign-out")
    assert answer.location == "/console/sign-in"
    assert person.get("/").status_code == 303


def test_signing_out_ends_the_session_wherever_its_cookie_went(come: Come, app: Flask) -> None:
    person, other = come(), come()
    kept = person.client.get_cookie(COOKIE)
    assert kept is not None
    person.post("/console/sign-out")
    thief = app.test_client()
    thief.set_cookie(COOKIE, kept.value)
    assert (thief.get("/").status_code, other.get("/").status_code) == (303, 200)


def test_signing_out_everywhere_ends_all_sessions_of_the_key_and_no_others(come: Come, app: Flask) -> None:
    person, other = come(), come()
    again = Person(client=app.test_client(), text=person.text, key=person.key)
    again.sign_in()
    person.post("/console/sign-out", {"where": "everywhere"})
    assert (again.get("/").status_code, other.get("/").status_code) == (303, 200)
    again.sign_in()
    assert again.get("/").status_code == 200


def test_a_session_begins_anew_with_signing_in(come: Come) -> None:
    person = come(signed_in=False)
    before = person.token()
    person.sign_in()
    assert person.token("/") != before


def test_a_session_is_over_after_half_a_day(sessions: Sessions, monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = sessions.seal(new_session("key_x"))
    now = time.time()
    for later, is_open in ((LIFE_SECONDS - 60, True), (LIFE_SECONDS + 60, False)):
        with monkeypatch.context() as patch:
            patch.setattr(time, "time", lambda later=later: now + later)
            assert (sessions.open(sealed) is not None) is is_open


def test_what_was_changed_or_signed_elsewhere_is_no_session(sessions: Sessions, store_client: redis.Redis) -> None:
    sealed = sessions.seal(new_session("key_x"))
    other = Sessions(store_client, secret="another").seal(new_session("key_x"))
    for text in ("", "x", sealed[:-1], "a" + sealed, other, sessions.seal_text("key_x")):
        assert sessions.open(text) is None


def test_a_note_is_shown_once_and_no_session_passes_for_one(come: Come) -> None:
    person = come(role="admin")
    answer = person.client.post(
        "/console/projects",
        data={"csrf_token": person.token("/"), "project": "films", "weight": "2"},
        headers={"Origin": ORIGIN},
    )
    assert "respool_note" in parse_cookie(answer.headers["Set-Cookie"])
    assert "The limits of films are set." in person.get("/console/projects").text
    assert "The limits of films are set." not in person.get("/console/projects").text


FROM_ELSEWHERE = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}


def test_a_link_of_another_site_neither_ends_a_session_nor_shows_anything(come: Come) -> None:
    nobody = come(signed_in=False)  # as the browser comes that keeps its cookie back
    answer = nobody.get("/console/jobs?status=failed&x=%22%3E", headers=FROM_ELSEWHERE)
    assert (answer.status_code, "Set-Cookie" in answer.headers) == (200, False)
    assert 'content="0; url=/console/jobs?status=failed&amp;x=%22%3E"' in answer.text
    own = {**FROM_ELSEWHERE, "Sec-Fetch-Site": "same-origin"}
    assert nobody.get("/console/jobs", headers=own).location == "/console/sign-in?next=/console/jobs"
