from tests.fakes.bench import Bench
from tests.unit.api.conftest import Caller


def test_alive_needs_neither_key_nor_redis(nobody: Caller) -> None:
    assert nobody.get("/healthz").json == {"status": "ok"}


def test_ready_tells_of_workers_and_needs_none(nobody: Caller, bench: Bench) -> None:
    assert nobody.get("/readyz").json == {"status": "ok", "workers": {"live": 0, "slots": 0, "jobs": 0}}
    bench.run_one("w1")
    bench.beat("w2", slots=5)
    assert nobody.get("/readyz").json["workers"] == {"live": 2, "slots": 15, "jobs": 1}
