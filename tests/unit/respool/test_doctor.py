import json
from pathlib import Path

import pytest

from tests.fakes.command import typed
from tests.fakes.small_api import answering, routed
from tests.unit.respool.test_service_findings import ROUTES


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_ends_well_where_nothing_is_broken_and_says_each_thing_on_a_line() -> None:
    with answering(routed(ROUTES)) as (api, _):
        done = typed(api, "doctor")
    assert done.exit_code == 0
    assert {line[:4] for line in done.stdout.splitlines()} == {"ok  "}


def test_it_fails_where_something_is_and_says_what_to_do() -> None:
    unknown = (401, {}, {"error": {"message": "no\x1b key", "code": "invalid_api_key"}})
    with answering(routed(ROUTES | {"GET /v1/jobs": unknown})) as (api, _):
        done = typed(api, "doctor")
        rows = [json.loads(line) for line in typed(api, "doctor", "--json").stdout.splitlines()]
    assert done.exit_code == 1
    assert "fail  key: refused (401): no\ufffd key\n      → set RESPOOL_API_KEY" in done.stdout
    assert [row["subject"] for row in rows if row["level"] == "fail"] == ["key"]
