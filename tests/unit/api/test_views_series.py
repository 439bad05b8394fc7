from datetime import UTC, datetime

import pytest

from tests.fakes.bench import ANSWERED, COMPLETED, Bench
from tests.unit.api.conftest import Caller, error_of


def run(bench: Bench, caller: Caller) -> None:
    caller.job()
    bench.beat("w1")
    bench.dispatch("w1")
    for claim in bench.claim("w1"):
        bench.runs("w1").finish(claim, COMPLETED, ANSWERED)


def test_an_hour_of_minutes_is_told_by_default(alice: Caller, bench: Bench) -> None:
    run(bench, alice)
    told = alice.get("/v1/series").json
    assert (told["object"], told["step"], len(told["data"])) == ("list", "minute", 60)
    starts = [point["start"] for point in told["data"]]
    assert starts == list(range(starts[0], starts[0] + 3600, 60))
    assert sum(point["submitted"] for point in told["data"]) == 1
    (ended,) = [point for point in told["data"] if point["completed"]]
    assert ended["failed"] == ended["incomplete"] == ended["cancelled"] == 0
    assert set(ended["run_seconds"]) == set(ended["queue_seconds"]) == {"p50", "p95"}
    assert told["data"][0]["run_seconds"] is None


def test_a_project_sees_its_own_figures_and_an_admin_those_of_all(
    alice: Caller, bob: Caller, admin: Caller, bench: Bench
) -> None:
    run(bench, alice)
    run(bench, alice)
    run(bench, bob)
    counted = {
        caller.key: sum(point["submitted"] for point in caller.get("/v1/series?step=hour").json["data"])
        for caller in (alice, bob, admin)
    }
    assert list(counted.values()) == [2, 1, 3]


def test_a_span_may_be_given_in_either_way_and_both_ends_are_in(alice: Caller) -> None:
    first, last = (datetime(2026, 1, 31, 12, minute, tzinfo=UTC).timestamp() for minute in (5, 7))
    for query in (f"from={first}&to={last}", "from=2026-01-31T12:05:59Z&to=2026-01-31T13:07:00%2B01:00"):
        assert [point["start"] for point in alice.get(f"/v1/series?{query}").json["data"]] == [first, first + 60, last]


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("from=20&to=10", "from"), ("from=0&to=180000", "from"), ("from=yesterday", "from"), ("to=-1", "to"),
        ("step=day", "step"), ("since=1", "since"), ("to=0&from=61", "from"),
    ],
)  # fmt: skip
def test_a_wrong_span_is_refused_by_name(query: str, param: str, alice: Caller) -> None:
    answer = alice.get(f"/v1/series?{query}")
    assert answer.status_code == 400
    assert error_of(answer)["param"] == param


def test_the_beginning_of_time_is_a_minute_like_any_other(alice: Caller) -> None:
    assert [point["start"] for point in alice.get("/v1/series?to=0").json["data"]] == [0]


def test_nobody_sees_figures_without_a_key(nobody: Caller) -> None:
    assert nobody.get("/v1/series").status_code == 401
