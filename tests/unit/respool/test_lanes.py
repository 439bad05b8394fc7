from pathlib import Path

import pytest
import redis
from click.testing import CliRunner, Result

from api import lane_view
from jobs.lane_states import LaneState, LaneStates
from jobs.limits import LaneLimits, Limits
from respool.cli import main
from respool.lanes import COLUMNS, cells

LANE = "default:doubao seed/1"


@pytest.fixture(autouse=True)
def _here(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RESPOOL_REDIS_URL", redis_url)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["lanes", *arguments])


def lane(client: redis.Redis) -> LaneState:
    return LaneStates(client, Limits()).get(LANE)


def test_limits_are_set_and_taken_back(store_client: redis.Redis) -> None:
    done = run("set", LANE, "--requests-per-minute", "300", "--ramp-per-second", "0.5", "--reason", "upgraded")
    assert done.exit_code == 0, done.output
    assert "set: " in done.output
    found = lane(store_client)
    assert (found.limits.requests_per_minute, found.limits.ramp_per_second) == (300, 0.5)
    assert set(found.changed) == {"requests_per_minute", "ramp_per_second"}
    assert run("set", LANE, "--unset", "requests-per-minute", "--reason", "no more").exit_code == 0
    assert lane(store_client).changed == ("ramp_per_second",)


def test_a_pause_lasts_until_it_is_resumed(store_client: redis.Redis) -> None:
    assert "paused" in run("pause", LANE, "--reason", "maintained").output
    found = lane(store_client)
    assert (found.state, found.paused_until) == ("paused", None)
    assert "maintained" in run("list").output
    assert run("resume", LANE).exit_code == 0
    assert lane(store_client).state == "open"


def test_a_pause_may_have_an_end(store_client: redis.Redis) -> None:
    assert "until " in run("pause", LANE, "--seconds", "60").output
    assert lane(store_client).paused_until is not None


@pytest.mark.parametrize("arguments", [["set", "--burst", "5", "--reason", "x"], ["pause"], ["resume"]])
@pytest.mark.parametrize("name", ["nobody:m", "m", "default:"])
def test_what_is_no_lane_ends_with_1(arguments: list[str], name: str) -> None:
    command, *rest = arguments
    refused = run(command, name, *rest)
    assert refused.exit_code == 1
    assert name in refused.output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--in-flight", "0"], "in_flight"), (["--ramp-per-second", "nan"], "ramp_per_second"),
        (["--burst", "10", "--requests-per-minute", "5"], "burst"), ([], "say what"),
    ],
)  # fmt: skip
def test_a_wrong_limit_ends_with_2_and_is_named(options: list[str], told: str) -> None:
    refused = run("set", LANE, *options, "--reason", "x")
    assert refused.exit_code == 2
    assert told in refused.output


@pytest.mark.parametrize("reason", ["r" * 201, "two\nlines"])
def test_a_reason_that_no_log_would_take_ends_with_2(reason: str) -> None:
    assert run("pause", LANE, "--reason", reason).exit_code == 2
    assert run("set", LANE, "--burst", "1", "--reason", reason).exit_code == 2


def test_the_limits_file_says_which_lanes_there_can_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "limits.toml").write_text('[accounts.spare]\nurl = "http://spare"\napi_key_variable = "SPARE_KEY"\n')
    monkeypatch.setenv("RESPOOL_LIMITS_FILE", "limits.toml")
    assert run("pause", "spare:m").exit_code == 0
    assert run("pause", "default:m").exit_code == 1


def test_a_row_has_a_cell_for_each_column_and_nothing_that_steers_the_terminal() -> None:
    state = LaneState(
        name="default:m\x1b[2J",
        account="default",
        model="m\x1b[2J",
        state="slowed",
        reason="rate_limit_requests",
        paused_until=0.0,
        limits=LaneLimits(requests_per_minute=600),
        changed=("burst",),
        requests_per_minute=300.5,
        tokens_per_minute=None,
        width=200,
        in_flight=5,
        waiting=7,
        requests_last_minute=298,
        tokens_last_minute=12345,
        run_seconds=[100.0, 61.26, 50.0],
    )
    row = dict(zip(COLUMNS, cells(lane_view.dump(state)), strict=True))
    assert row.pop("note").startswith("rate_limit_requests; until ")
    assert row == {
        "lane": "default:m\ufffd[2J",
        "state": "slowed",
        "in flight": "5/200",
        "waiting": "7",
        "requests/min": "298/300.5",
        "tokens/min": "12,345",
        "run": "61.3 s",
    }
