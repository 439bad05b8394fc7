import time

import pytest

from jobs import keys
from jobs.webhooks.senders import Senders
from tests.fakes.bench import ABOUT, Bench
from tests.unit.api.conftest import Caller, error_of


def test_an_admin_sees_the_workers_and_the_senders_that_live(admin: Caller, alice: Caller, bench: Bench) -> None:
    alice.job()
    bench.beat("w1", slots=7)
    bench.beat("gone")
    bench.kill("gone")
    bench.dispatch("w1")
    Senders(bench.client).beat("s1", slots=3, about=ABOUT)
    told = admin.get("/v1/workers").json
    assert told["object"] == "list"
    for process in told["data"]:
        assert 0 < process.pop("lease_seconds") <= 6
    about = {"object": "worker", "stalled": False, "host": "here", "pid": 1, "started_at": 1.5}
    assert told["data"] == [
        about | {"id": "w1", "kind": "worker", "slots": 7, "in_use": 1},
        about | {"id": "s1", "kind": "sender", "slots": 3, "in_use": 0},
    ]


def test_one_that_claims_nothing_is_told_to_be_stalled(admin: Caller, bench: Bench) -> None:
    bench.beat("w1")
    bench.client.hset(keys.worker("w1"), "stalled", round(time.time() * 1000))
    (told,) = admin.get("/v1/workers").json["data"]
    assert told["stalled"] is True


@pytest.mark.parametrize(("who", "status"), [("alice", 403), ("nobody", 401)])
def test_nobody_else_sees_them(who: str, status: int, request: pytest.FixtureRequest) -> None:
    answer = request.getfixturevalue(who).get("/v1/workers")
    assert answer.status_code == status
    error_of(answer)
