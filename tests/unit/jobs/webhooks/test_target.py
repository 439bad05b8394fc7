"""Where the events of one job go."""

import json

from jobs.webhooks.target import Webhook


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
