from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from jobs.projects import Projects
from respool.cli import main
from respool.projects import COLUMNS


@pytest.fixture(autouse=True)
def _here(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESPOOL_REDIS_URL", redis_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["projects", *arguments])


def test_a_project_is_made_with_its_limits_and_listed(store_client: redis.Redis) -> None:
    done = run("set", "film", "--weight", "2.5", "--max-queued", "100", "--cost-per-day", "12.5")
    assert (done.exit_code, "film" in done.output) == (0, True)
    limits = Projects(store_client).get("film").limits
    assert (limits.weight, limits.max_queued, limits.cost_per_day, limits.tokens_per_day) == (2.5, 100, 12.5, None)
    listed = run("list").output
    assert all(name in listed for name in COLUMNS)
    assert "0/100" in listed
    assert "0/12.5" in listed


def test_none_takes_a_limit_away_and_leaves_the_others(store_client: redis.Redis) -> None:
    run("set", "film", "--max-queued", "100", "--tokens-per-day", "5")
    assert run("set", "film", "--tokens-per-day", "none").exit_code == 0
    limits = Projects(store_client).get("film").limits
    assert (limits.max_queued, limits.tokens_per_day) == (100, None)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["film", "--max-queued", "0"], "max_queued"), (["film", "--max-queued", "1.5"], "max_queued"),
        (["film", "--weight", "nan"], "weight"), (["film", "--cost-per-day", "-1"], "cost_per_day"),
        (["film", "--weight", "much"], "weight"), (["Film!", "--weight", "1"], "name"), (["film"], "say what"),
    ],
)  # fmt: skip
def test_a_wrong_limit_or_name_ends_with_2_and_is_named(
    arguments: list[str], told: str, store_client: redis.Redis
) -> None:
    refused = run("set", *arguments)
    assert refused.exit_code == 2
    assert told in refused.output
    assert Projects(store_client).all() == []
