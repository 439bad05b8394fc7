"""Where the events of one job go."""

import json

from jobs.webhooks.target import Webhook, guarded_parts


def test_what_is_not_said_is_absent_from_what_the_scripts_read() -> None:
    webhook = Webhook(url="https://h.example/", origin="https://h.example:443")
    assert json.loads(webhook.as_json()) == {
        "url": "https://h.example/",
        "origin": "https://h.example:443",
        "include": "id",
    }


def test_events_and_the_sealed_secret_are_kept() -> None:
    webhook = Webhook(
        url="https://h.example/", origin="https://h.example:443", events=("response.failed",), secret="sealed"
    )
    assert json.loads(webhook.as_json())["events"] == ["response.failed"]
    assert json.loads(webhook.as_json())["secret"] == "sealed"


def test_path_and_query_of_a_url_are_guarded_and_each_value_of_the_query() -> None:
    assert guarded_parts("https://h.example/in?token=a%20b&x=1") == [
        "/in?token=a%20b&x=1", "/in", "token=a%20b&x=1", "a b", "1",
    ]  # fmt: skip
