import pytest

from jobs.log_secrets import Hider, secrets_of
from jobs.settings import Settings


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Connected to redis://user:pa%20ss@host:6379/0", "Connected to redis://***@host:6379/0"),
        ("at http://user:p@ss@host/x@y", "at http://***@host/x@y"),
        (
            "Error handling request GET /v1/jobs?token=abc&x=1 HTTP/1.1",
            "Error handling request GET /v1/jobs?*** HTTP/1.1",
        ),
        ("to https://h.example/in?abc failed", "to https://h.example/in?*** failed"),
        ("'Authorization: Bearer abc.def' is odd", "'Authorization: Bearer ***' is odd"),
        ("authorization: BASIC dXNlcjpwYXNz", "authorization: BASIC ***"),
        ("sk-abcdefgh12", "sk-***"),
        ("key rsp_abcdefgh12 and whsec_YWJjZGVm", "key rsp_*** and whsec_***"),
        ("is it ready? a=b", "is it ready? a=b"),
        ("default:doubao, 3 jobs (completed)", "default:doubao, 3 jobs (completed)"),
        ("a task-force-of-many-people", "a task-force-of-many-people"),
    ],
)
def test_what_looks_like_a_secret_is_hidden_and_nothing_else(text: str, shown: str) -> None:
    assert Hider().hide(text) == shown


def test_known_secrets_are_hidden_as_they_are_and_as_a_url_has_them() -> None:
    hider = Hider(["p/ss word", "other-secret"])
    assert hider.hide("p/ss word p%2Fss%20word xother-secretx") == "*** *** x***x"


def test_what_is_too_short_to_guard_anything_is_left() -> None:
    assert Hider(["any", ""]).hide("any time") == "any time"


def test_all_secrets_of_the_settings_are_known() -> None:
    settings = Settings(
        redis_url="redis://:redis-password@h/0",
        secret="service-secret",
        api_key="api-key-canary",
        upstream_api_key="upstream-key",
        upstream_proxy="http://user:proxy-password@p:1",
        webhook_secret="whsec_c2lnbmluZw==",
        metrics_token="metrics-token",
        old_secrets=("secret-of-before",),
    )
    hider = Hider(secrets_of(settings))
    for secret in (
        "redis-password", "service-secret", "api-key-canary", "upstream-key", "proxy-password", "c2lnbmluZw==",
        "metrics-token", "secret-of-before",
    ):  # fmt: skip
        assert hider.hide(f"<{secret}>") == "<***>"
