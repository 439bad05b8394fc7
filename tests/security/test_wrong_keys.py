"""Guessing: what many invalid keys from one address get, and what nobody else gets for it."""

import logging
import os
from itertools import pairwise
from pathlib import Path

import pytest
import redis
import requests
from werkzeug.test import TestResponse

from jobs import keys
from jobs.setting_texts import networks
from jobs.tenants import Tenants
from tests.fakes.processes import running_api
from tests.fakes.up import respool
from tests.unit.api.conftest import AppMaker, Caller, error_of
from tests.unit.api.console.conftest import ORIGIN, Come

MOST = 100
GUESSES = 10_000 if os.environ.get("RESPOOL_CHAOS") == "long" else 1_000
ONE = {"X-Request-Id": "one"}


def guess(
    caller: Caller, number: int = 0, *, address: str = "127.0.0.1", path: str = "/v1/jobs", **headers: str
) -> TestResponse:
    return caller.ask(
        "GET",
        path,
        headers=ONE | {"Authorization": f"Bearer rsp_guess{number}"} | headers,
        environ_base={"REMOTE_ADDR": address},
    )


def test_thousands_of_guesses_get_one_401_and_then_one_429(nobody: Caller, store_client: redis.Redis) -> None:
    answers = [guess(nobody, number) for number in range(GUESSES)]
    told, refused = answers[:MOST], [answer for answer in answers[MOST:] if answer.status_code != 401]
    assert {(answer.status_code, answer.data) for answer in told} == {(401, told[0].data)}
    assert len({answer.data for answer in refused}) == 1
    assert error_of(refused[0])["code"] == "too_many_invalid_keys"
    for answer in refused:
        assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert answer.headers["x-should-retry"] == "false"
    windows = 1 + sum(a.status_code == 429 and b.status_code == 401 for a, b in pairwise(answers))
    assert len(answers) - len(refused) == MOST * windows
    assert len(list(store_client.scan_iter(f"{keys.PREFIX}wrong_keys:*", count=1000))) == 1


def test_a_valid_key_is_let_in_however_many_guesses_came_from_its_address(make_app: AppMaker, alice: Caller) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=2).test_client(), "")
    assert [guess(nobody, number).status_code for number in range(4)] == [401, 401, 429, 429]
    assert Caller(nobody.client, alice.key).get("/v1/jobs").status_code == 200


def test_a_revoked_key_and_a_guess_are_told_the_same(make_app: AppMaker, alice: Caller, tenants: Tenants) -> None:
    for key in tenants.list():
        tenants.revoke(key.id)
    client = make_app(wrong_keys_per_minute=2).test_client()
    answers = [Caller(client, key).get("/v1/jobs", headers=ONE) for key in (alice.key, "rsp_guess", alice.key, "rsp_x")]
    assert [answer.status_code for answer in answers] == [401, 401, 429, 429]
    assert [answer.data for answer in answers[::2]] == [answer.data for answer in answers[1::2]]


def test_a_request_without_a_key_is_no_guess(make_app: AppMaker) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1).test_client(), "")
    assert [nobody.get("/v1/jobs").status_code for _ in range(4)] == [401] * 4


def test_every_address_has_its_own_count_and_an_ipv6_network_one(make_app: AppMaker) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1).test_client(), "")

    def status(address: str) -> int:
        return guess(nobody, address=address).status_code

    assert (status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")) == (401, 429, 401)
    assert (status("::ffff:192.0.2.1"), status("2001:db8::1"), status("2001:db8::2")) == (429, 401, 429)
    assert status("2001:db8:0:1::1") == 401


def test_a_stranger_cannot_name_the_address_that_he_is_counted_under(make_app: AppMaker) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1).test_client(), "")
    tries = [{"X-Forwarded-For": f"192.0.2.{number}"} for number in range(3)]
    assert [guess(nobody, **one).status_code for one in tries] == [401, 429, 429]
    assert guess(nobody, address="192.0.2.1").status_code == 401  # whom he meant


def test_behind_a_trusted_proxy_each_client_is_counted_alone(make_app: AppMaker) -> None:
    app = make_app(wrong_keys_per_minute=1, trusted_proxies=networks("127.0.0.1"))
    nobody = Caller(app.test_client(), "")

    def status(forwarded: str) -> int:
        return guess(nobody, **{"X-Forwarded-For": forwarded}).status_code

    assert (status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")) == (401, 429, 401)
    assert status("192.0.2.9, 192.0.2.1") == 429


def test_the_window_ends(make_app: AppMaker, store_client: redis.Redis) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1).test_client(), "")
    assert [guess(nobody).status_code for _ in range(2)] == [401, 429]
    (key,) = store_client.scan_iter(f"{keys.PREFIX}wrong_keys:*", count=1000)
    assert 0 < store_client.pttl(key) <= 60_000
    store_client.delete(key)
    assert guess(nobody).status_code == 401


def test_the_token_of_the_metrics_is_guessed_under_the_same_limit(make_app: AppMaker) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1, metrics_token="token").test_client(), "")
    assert [guess(nobody, path="/metrics").status_code for _ in range(2)] == [401, 429]
    assert Caller(nobody.client, "token").get("/metrics").status_code == 200


def test_signing_in_to_the_console_counts_too_and_lets_a_valid_key_in(make_app: AppMaker, come: Come) -> None:
    person = come(signed_in=False)
    person.client = make_app(wrong_keys_per_minute=1).test_client()
    answers = [person.sign_in("rsp_guess") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 429, 429]
    assert "Too many invalid keys" in answers[1].text
    assert 1 <= int(answers[1].headers["Retry-After"]) <= 60
    assert person.sign_in().status_code == 303
    assert person.client.get("/", headers={"Origin": ORIGIN}).status_code == 200


def test_operators_are_told_of_an_address_once_in_a_window(
    make_app: AppMaker, caplog: pytest.LogCaptureFixture
) -> None:
    nobody = Caller(make_app(wrong_keys_per_minute=1).test_client(), "")
    with caplog.at_level(logging.WARNING):
        for number in range(4):
            guess(nobody, number)
    told = [record.message for record in caplog.records if record.name == "api.wrong_key"]
    assert told == ["too many invalid keys come from 127.0.0.1"]
    assert "rsp_guess" not in caplog.text


def test_a_full_redis_still_answers_401(nobody: Caller, store_client: redis.Redis) -> None:
    assert guess(nobody).status_code == 401  # by which the secret of the hashes is there
    store_client.config_set("maxmemory", 1)
    try:
        assert [guess(nobody).status_code for _ in range(2)] == [401, 401]
    finally:
        store_client.config_set("maxmemory", 0)


def test_the_command_line_says_what_the_limit_says(tmp_path: Path, redis_url: str) -> None:
    settings = {"RESPOOL_REDIS_URL": redis_url, "RESPOOL_WRONG_KEYS_PER_MINUTE": "1"}
    with running_api(tmp_path, settings) as base:
        guessing = {"Authorization": "Bearer rsp_guess"}
        assert requests.get(f"{base}/v1/jobs", headers=guessing, timeout=10).status_code == 401
        done = respool("jobs", environ={"RESPOOL_URL": base, "RESPOOL_API_KEY": "rsp_guess"})
    assert done.returncode != 0
    assert "Too many invalid keys" in done.stderr
