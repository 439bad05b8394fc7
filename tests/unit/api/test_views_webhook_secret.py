import logging

import pytest

from jobs.webhooks.secrets import check_secret, new_secret
from tests.unit.api.conftest import AppMaker, Caller, error_of

PATH = "/v1/webhook_secret/rotate"


def test_the_first_secret_of_a_project_is_made_and_shown_once(alice: Caller, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = alice.post(PATH)
    assert answer.status_code == 200
    assert {**answer.json, "secret": ""} == {"object": "webhook_secret", "project": "alice", "secret": ""}
    check_secret(answer.json["secret"])
    assert answer.json["secret"] not in caplog.text
    assert "secret of project alice made anew by key_" in caplog.text
    assert alice.post(PATH).json["secret"] != answer.json["secret"]


def test_an_admin_makes_the_secret_of_its_own_project(admin: Caller) -> None:
    assert admin.post(PATH).json["project"] == "operators"


def test_too_many_secrets_must_wait(alice: Caller) -> None:
    answers = [alice.post(PATH) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert error_of(answers[-1])["code"] == "too_many_secrets"
    assert int(answers[-1].headers["Retry-After"]) > 86_000


def test_a_secret_that_the_settings_hold_is_changed_there(make_app: AppMaker, alice: Caller) -> None:
    app = make_app(api_key="known", webhook_secret=new_secret())
    answer = Caller(app.test_client(), "known").post(PATH)
    assert answer.status_code == 400
    assert "RESPOOL_WEBHOOK_SECRET" in error_of(answer)["message"]
    assert Caller(app.test_client(), alice.key).post(PATH).status_code == 200
